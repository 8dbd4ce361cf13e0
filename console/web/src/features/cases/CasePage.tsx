import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ask, useChange } from '@/api/graphql'
import { alertColumns } from '@/features/alerts/AlertCells'
import { CommentPanel } from '@/features/alerts/Comments'
import { Timeline } from '@/features/alerts/Timeline'
import { useMay } from '@/features/session/me'
import { Action } from '@/ui/Action'
import { type Column, DataTable } from '@/ui/DataTable'
import { Facts } from '@/ui/Facts'
import { notifyRefused } from '@/ui/notify'
import { PageHead, Panel } from '@/ui/Page'
import { Severity } from '@/ui/Severity'
import { Answered, Empty } from '@/ui/States'
import { StateOf } from '@/ui/Status'
import { ClockTime, Time } from '@/ui/Time'
import { plural } from '@/ui/words'
import { CaseActions } from './CaseActions'
import { CaseDocument, type CaseQuery, CommentCaseDocument, RemoveFromCaseDocument } from './cases.gql'

const route = getRouteApi('/cases/$id')

export type CaseData = NonNullable<CaseQuery['case']>
type Row = CaseData['alerts']['edges'][number]['node']

/** One case: its alerts, what was done, who is on it. */
export function CasePage() {
  const { id } = route.useParams()
  const query = useQuery(ask('cases', CaseDocument, { id }))
  return (
    <Answered query={query} rows={8}>
      {(data) =>
        data.case ? (
          <CaseView data={data.case} />
        ) : (
          <Empty title="No such case" icon="cases">
            See <Link to="/cases">all cases</Link>.
          </Empty>
        )
      }
    </Answered>
  )
}

function CaseView({ data }: { data: CaseData }) {
  const rows = data.alerts.edges.map((edge) => edge.node)
  const comment = useChange(CommentCaseDocument, { touches: ['cases'], done: 'Comment added' })
  return (
    <>
      <PageHead
        title={data.title}
        above={<Link to="/cases">Cases</Link>}
        marks={
          <span className="row">
            <Severity level={data.severity} />
            <StateOf state={data.status} />
          </span>
        }
        lead={
          data.mergedInto && (
            <>
              Merged into{' '}
              <Link to="/cases/$id" params={{ id: data.mergedInto.id }}>
                {data.mergedInto.title}
              </Link>
              . Its alerts are there.
            </>
          )
        }
      />
      <CaseActions data={data} />
      <div className="columns">
        <div className="stack loose">
          <Panel title="Alerts" flush aside={plural(rows.length, 'alert')}>
            <CaseAlerts caseId={data.id} rows={rows} />
          </Panel>
          <Timeline entries={data.timeline} />
        </div>
        <div className="stack loose">
          <Panel title="Facts">
            <Facts
              facts={[
                ['Opened', <ClockTime key="opened" at={data.createdAt} />],
                ['By', data.createdBy],
                ['Last change', <Time key="changed" at={data.updatedAt} />],
                ['Assignee', data.assignee ?? <span className="dim">nobody</span>],
                ['Merged in', data.merged.length > 0 && <MergedList merged={data.merged} />],
              ]}
            />
          </Panel>
          <CommentPanel
            comments={data.comments}
            isBusy={comment.isPending}
            onComment={(text, done) => comment.mutate({ id: data.id, text }, { onSuccess: done })}
          />
        </div>
      </div>
    </>
  )
}

function MergedList({ merged }: { merged: CaseData['merged'] }) {
  return (
    <ul>
      {merged.map((one) => (
        <li key={one.id}>
          <Link to="/cases/$id" params={{ id: one.id }}>
            {one.title}
          </Link>
        </li>
      ))}
    </ul>
  )
}

function CaseAlerts({ caseId, rows }: { caseId: string; rows: Row[] }) {
  const { why } = useMay('TRIAGE')
  const remove = useChange(RemoveFromCaseDocument, { touches: ['cases', 'alert'], done: 'Taken out of the case' })
  const take = (alert: Row) => (why ? notifyRefused(why) : remove.mutate({ id: caseId, alerts: [alert.id] }))
  if (rows.length === 0) {
    return (
      <Empty title="No alerts in it yet" icon="alerts">
        Open an alert and choose "Add to a case".
      </Empty>
    )
  }
  const columns: ReadonlyArray<Column<Row>> = [
    ...alertColumns.filter((column) => column.key !== 'techniques'),
    {
      key: 'remove',
      head: 'Take out',
      from: 'tablet',
      cell: (alert) => (
        <Action needs="TRIAGE" size="compact-xs" onClick={() => take(alert)}>
          Take out
        </Action>
      ),
    },
  ]
  return (
    <DataTable
      label="Alerts of the case"
      rows={rows}
      columns={columns}
      rowKey={(alert) => alert.id}
      rowKeys={[{ keys: 'x', does: 'Take out of the case', run: take }]}
    />
  )
}
