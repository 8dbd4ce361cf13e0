import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ask } from '@/api/graphql'
import { PageHead, Panel } from '@/ui/Page'
import { Ring } from '@/ui/Ring'
import { Severity } from '@/ui/Severity'
import { Answered, Empty } from '@/ui/States'
import { StateOf } from '@/ui/Status'
import { AlertActions } from './AlertActions'
import { AlertMarks } from './AlertCells'
import { AlertFacts, Entities, Techniques } from './AlertFacts'
import { AttackPath } from './AttackPath'
import { AlertDocument, type AlertQuery } from './alerts.gql'
import { CasesOf } from './CasesOf'
import { Comments } from './Comments'
import { Deliveries } from './Deliveries'
import { Reasons } from './Reasons'
import { Respond } from './Respond'
import { Signals } from './Signals'
import { Similar } from './Similar'
import { Timeline } from './Timeline'

const route = getRouteApi('/alerts/$id')

export type AlertData = NonNullable<AlertQuery['alert']>

/** One alert: what it is, why, what was seen, what to do about it. */
export function AlertPage() {
  const { id } = route.useParams()
  const query = useQuery(ask('alert', AlertDocument, { id }))
  return (
    <Answered query={query} rows={10}>
      {({ alert }) =>
        alert ? (
          <AlertView alert={alert} />
        ) : (
          <Empty title="No such alert" icon="alerts">
            It may have been removed, or the address was cut short. See <Link to="/alerts">all alerts</Link>.
          </Empty>
        )
      }
    </Answered>
  )
}

function AlertView({ alert }: { alert: AlertData }) {
  return (
    <>
      <PageHead
        title={alert.title}
        above={<Link to="/alerts">Alerts</Link>}
        marks={
          <span className="row">
            <Severity level={alert.severity} />
            <StateOf state={alert.status} />
            <AlertMarks alert={alert} />
          </span>
        }
        lead={alert.summary}
        actions={<Ring value={alert.score} tone={alert.severity} label="Score" />}
      />
      <AlertActions alert={alert} />
      <div className="columns">
        <div className="stack loose">
          <Panel title="What to do">
            {alert.recommendations.length ? (
              <ol className="stack tight">
                {alert.recommendations.map((advice, index) => (
                  <li key={advice} className="row">
                    <span className="dim num" aria-hidden="true">
                      {index + 1}.
                    </span>
                    <span className="grow">{advice}</span>
                  </li>
                ))}
              </ol>
            ) : (
              <p className="dim">No advice for this kind of alert. Read the signals below and decide.</p>
            )}
          </Panel>
          <AttackPath alert={alert} />
          <Reasons alert={alert} />
          <Signals alert={alert} />
          <Timeline entries={alert.timeline} />
        </div>
        <div className="stack loose">
          <Respond alertId={alert.id} />
          <AlertFacts alert={alert} />
          <Techniques alert={alert} />
          <Entities alert={alert} />
          <Comments alert={alert} />
          <CasesOf alert={alert} />
          <Similar alertId={alert.id} />
          <Deliveries alertId={alert.id} />
        </div>
      </div>
    </>
  )
}
