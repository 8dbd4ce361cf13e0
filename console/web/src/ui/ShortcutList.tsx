import { Kbd, Modal } from '@mantine/core'
import { useScopes } from './keys'
import classes from './ShortcutList.module.css'

/** What can be pressed here, by part of the page. */
export function ShortcutList({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const scopes = useScopes().filter((scope) => scope.shortcuts.length > 0)
  return (
    <Modal opened={opened} onClose={onClose} title="Keyboard shortcuts" size="lg">
      <div className={classes.groups}>
        {scopes.map((scope) => (
          <section key={scope.name} aria-label={scope.name}>
            <h3>{scope.name}</h3>
            <dl>
              {scope.shortcuts.map((one) => (
                <div key={one.keys} className={classes.line}>
                  <dt>{one.does}</dt>
                  <dd>
                    {one.keys.split(' ').map((key) => (
                      <Kbd key={key} size="xs">
                        {key}
                      </Kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  )
}
