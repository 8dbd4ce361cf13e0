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
        {entries.map((entry, index) => (
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
            </span>
          </li>
        ))}
      </ol>
    </Panel>
  )
}
