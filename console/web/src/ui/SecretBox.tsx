import { Button, CopyButton } from '@mantine/core'
import classes from './SecretBox.module.css'

/** Something that is shown once: to copy now. */
export function SecretBox({ label, secret }: { label: string; secret: string }) {
  return (
    <div className={classes.box} role="status">
      <p>
        <strong>{label}</strong> <span className="dim">is shown only now. Keep it.</span>
      </p>
      <code className="wrap">{secret}</code>
      <div>
        <CopyButton value={secret}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy}>
              {copied ? 'Copied' : 'Copy'}
            </Button>
          )}
        </CopyButton>
      </div>
    </div>
  )
}
