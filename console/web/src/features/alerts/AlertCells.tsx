import { Link } from '@tanstack/react-router'
import type { AlertRowFragment } from '@/api/fragments.gql'
import { type Column, rowLink } from '@/ui/DataTable'
import { Icon } from '@/ui/icons'
import { Severity } from '@/ui/Severity'
import { StateOf, Status } from '@/ui/Status'
import { Time } from '@/ui/Time'
import { word } from '@/ui/words'

/** The columns of a list of alerts, on every page that has one. */
export const alertColumns: ReadonlyArray<Column<AlertRowFragment>> = [
  { key: 'severity', head: 'Severity', cell: (alert) => <Severity level={alert.severity} /> },
  {
    key: 'title',
    head: 'Alert',
    wide: true,
    cell: (alert) => (
      <>
        <Link to="/alerts/$id" params={{ id: alert.id }} {...rowLink}>
          {alert.title}
        </Link>{' '}
        <AlertMarks alert={alert} />
      </>
    ),
  },
  {
    key: 'score',
    head: 'Score',
    from: 'tablet',
    align: 'end',
    cell: (alert) => <span className="num">{Math.round(alert.score)}</span>,
  },
  {
    key: 'techniques',
    head: 'Technique',
    from: 'desktop',
    cell: (alert) => <span className="small dim">{techniqueIds(alert)}</span>,
  },
  {
    key: 'assignee',
    head: 'Assignee',
    from: 'desktop',
    cell: (alert) => alert.assignee ?? <span className="dim">nobody</span>,
  },
  { key: 'status', head: 'Status', from: 'tablet', cell: (alert) => <StateOf state={alert.status} /> },
  { key: 'updated', head: 'Changed', align: 'end', cell: (alert) => <Time at={alert.updatedAt} /> },
]

function techniqueIds(alert: AlertRowFragment): string {
  const ids = alert.techniques.map((technique) => technique.id)
  return ids.length > 2 ? `${ids.slice(0, 2).join(', ')} +${ids.length - 2}` : ids.join(', ')
}

/** What stands beside a title: muted, overdue, contained, the verdict. */
export function AlertMarks({ alert }: { alert: AlertRowFragment }) {
  return (
    <>
      {alert.muted && (
        <Status title={alert.muted.reason}>
          <Icon name="mute" size={12} /> {word(alert.muted.kind)}
        </Status>
      )}{' '}
      {alert.overdue && (
        <Status tone="bad" title={alert.dueAt ? `Was due ${alert.dueAt}` : undefined}>
          <Icon name="clock" size={12} /> overdue
        </Status>
      )}{' '}
      {alert.containedAt && (
        <Status tone="good">
          <Icon name="shield" size={12} /> contained
        </Status>
      )}{' '}
      {alert.verdict && (
        <Status tone={alert.verdict === 'TRUE_POSITIVE' ? 'bad' : 'plain'}>{word(alert.verdict)}</Status>
      )}
    </>
  )
}
