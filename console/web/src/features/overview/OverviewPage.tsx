import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ask } from '@/api/graphql'
import { useLive } from '@/api/live'
import type { Severity as Level } from '@/api/schema.gen'
import { AlertTable } from '@/features/alerts/AlertTable'
import { AlertsDocument, type AlertsQueryVariables } from '@/features/alerts/alerts.gql'
import { ApprovalList } from '@/features/playbooks/ApprovalList'
import { Grade } from '@/ui/Grade'
import { PageHead, Panel } from '@/ui/Page'
import { RiskScore, SeverityShape } from '@/ui/Severity'
import { Answered, Empty } from '@/ui/States'
import { plural, word } from '@/ui/words'
import { Changes } from './Changes'
import classes from './Overview.module.css'
import { OverviewDocument, PendingApprovalsDocument } from './overview.gql'

/** What is open and worth a look; the same list `Alerts` shows for it. */
const openNow: AlertsQueryVariables = {
  filter: { status: ['OPEN', 'ACKNOWLEDGED'], minSeverity: 'MEDIUM', muted: false },
}
const ROWS_MAX = 12

/** What needs somebody now, what changed, and what is most at risk. */
export function OverviewPage() {
  const alerts = useQuery(ask('alerts', AlertsDocument, openNow))
  const overview = useQuery(ask('overview', OverviewDocument, {}))
  const approvals = useQuery(ask('approvals', PendingApprovalsDocument, {}))
  const waiting = approvals.data?.approvals?.edges ?? []
  const rows = alerts.data?.alerts.edges.map((edge) => edge.node) ?? []
  return (
    <>
      <PageHead title="Overview" />
      <Counters rows={rows} isMore={alerts.data?.alerts.pageInfo.hasNextPage ?? false} waiting={waiting.length} />
      <div className="columns">
        <div className="stack loose">
          {waiting.length > 0 && (
            <Panel title="Waiting for a decision" flush>
              <ApprovalList approvals={waiting.map((edge) => edge.node)} />
            </Panel>
          )}
          <Panel title="Live alerts" flush aside={<Link to="/alerts">All alerts</Link>}>
            <Answered query={alerts} rows={8}>
              {() =>
                rows.length ? (
                  <AlertTable rows={rows.slice(0, ROWS_MAX)} />
                ) : (
                  <Empty title="Nothing needs you now">
                    Alerts of medium severity or worse appear here within a second of being raised.
                  </Empty>
                )
              }
            </Answered>
          </Panel>
          <Passing />
        </div>
        <div className="stack loose">
          <Panel title="Highest risks" flush aside={<Link to="/graph">Graph</Link>}>
            <Answered query={overview} rows={6}>
              {(data) =>
                data.entities.edges.length ? (
                  <ul className={classes.list}>
                    {data.entities.edges.map(({ node }) => (
                      <li key={node.id}>
                        <RiskScore score={node.risk.score} level={node.risk.level} />
                        <Link to="/graph" search={{ id: node.id }} className="grow cut">
                          {node.name}
                        </Link>
                        <span className="dim small">{word(node.kind)}</span>
                      </li>
                    ))}
                  </ul>
                ) : (
                  <Empty title="No risks yet">
                    Risks show once events, vendors or findings speak against something.
                  </Empty>
                )
              }
            </Answered>
          </Panel>
          <Panel title="Vendors with a bad grade" flush aside={<Link to="/vendors">All vendors</Link>}>
            <Answered query={overview} rows={4}>
              {(data) =>
                data.vendors.edges.length ? (
                  <ul className={classes.list}>
                    {data.vendors.edges.map(({ node }) => (
                      <li key={node.id}>
                        <Grade grade={node.posture?.grade ?? 'NR'} />
                        <Link to="/vendors/$id" params={{ id: node.id }} className="grow cut">
                          {node.name}
                        </Link>
                        <span className="dim small">{word(node.tier)} tier</span>
                      </li>
                    ))}
                  </ul>
                ) : (
                  <Empty title="No vendor is graded D or worse" />
                )
              }
            </Answered>
          </Panel>
          <Changes />
        </div>
      </div>
    </>
  )
}

const LEVELS: Level[] = ['CRITICAL', 'HIGH', 'MEDIUM']

function Counters({
  rows,
  isMore,
  waiting,
}: {
  rows: ReadonlyArray<{ severity: Level; status: string; assignee: string | null; overdue?: boolean }>
  isMore: boolean
  waiting: number
}) {
  const unassigned = rows.filter((row) => row.status === 'OPEN' && !row.assignee).length
  const overdue = rows.filter((row) => row.overdue).length
  return (
    <ul className={classes.counters} aria-label="Open alerts by severity">
      {LEVELS.map((level) => (
        <li key={level}>
          <Link to="/alerts" search={{ severity: level }}>
            <strong className="num">
              {rows.filter((row) => row.severity === level).length}
              {isMore ? '+' : ''}
            </strong>
            <span className={classes.word}>
              <SeverityShape level={level} /> {word(level)}
            </span>
          </Link>
        </li>
      ))}
      <li>
        <Link to="/alerts">
          <strong className="num">{unassigned}</strong>
          <span className={classes.word}>nobody on it</span>
        </Link>
      </li>
      <li>
        <Link to="/alerts" search={{ overdue: true }}>
          <strong className="num">{overdue}</strong>
          <span className={classes.word}>overdue</span>
        </Link>
      </li>
      <li>
        <Link to="/playbooks" search={{ tab: 'approvals' }}>
          <strong className="num">{waiting}</strong>
          <span className={classes.word}>{waiting === 1 ? 'approval waits' : 'approvals wait'}</span>
        </Link>
      </li>
    </ul>
  )
}

const TOLD = {
  OPENED: 'new',
  ESCALATED: 'worse',
  RETRACTED: 'taken back',
  RESOLVED: 'resolved',
  UPDATED: 'changed',
} as const
const PASSING_MAX = 6

/** The last changes as they came in, by the live stream alone. */
function Passing() {
  const { feed } = useLive()
  const news = feed
    .filter((change) => change.change !== 'UPDATED' && change.alert.severity !== 'INFO')
    .slice(0, PASSING_MAX)
  if (news.length === 0) return null
  return (
    <Panel title="Just in" flush aside={`${plural(feed.length, 'change')} since this page opened`}>
      <ul className={classes.list}>
        {news.map((change) => (
          <li key={change.cursor}>
            <SeverityShape level={change.alert.severity} />
            <span className={classes.told}>{TOLD[change.change]}</span>
            <Link to="/alerts/$id" params={{ id: change.alert.id }} className="grow cut">
              {change.alert.title}
            </Link>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
