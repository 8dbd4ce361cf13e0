import type { TimelineRowFragment } from '@/api/fragments.gql'
import { Icon } from '@/ui/icons'
import { Panel } from '@/ui/Page'
import { SeverityShape } from '@/ui/Severity'
import { ClockTime } from '@/ui/Time'
import classes from './Timeline.module.css'

/** What happened, oldest first: signals, and what people and playbooks did. */
export function Timeline({ entries }: { entries: readonly TimelineRowFragment[] }) {
  return (
    <Panel title="Timeline" aside="Oldest first">
      <ol className={classes.timeline}>
        {folded(entries).map(({ entry, times }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: entries have no id and are only added at the end
          <li key={index}>
            <span className={classes.mark}>
              {entry.signal ? <SeverityShape level={entry.signal.severity} /> : <Icon name="user" size={13} />}
            </span>
            <span className={classes.time}>
              <ClockTime at={entry.time} />
            </span>
            <span className="wrap">
              {entry.actor && <strong>{entry.actor}: </strong>}
              {entry.text}
              {times > 1 && <span className="dim"> and {times - 1} more like it</span>}
            </span>
          </li>
        ))}
      </ol>
    </Panel>
  )
}

/** Entries one after the other that say the same count as one. */
function folded(entries: readonly TimelineRowFragment[]): Array<{ entry: TimelineRowFragment; times: number }> {
  const all: Array<{ entry: TimelineRowFragment; times: number }> = []
  for (const entry of entries) {
    const last = all.at(-1)
    if (last && entry.signal && last.entry.signal && last.entry.text === entry.text) last.times += 1
    else all.push({ entry, times: 1 })
  }
  return all
}
