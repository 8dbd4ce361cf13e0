import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ask } from '@/api/graphql'
import { Panel } from '@/ui/Page'
import { SeverityShape } from '@/ui/Severity'
import { Answered } from '@/ui/States'
import { StateOf } from '@/ui/Status'
import { Time } from '@/ui/Time'
import { percent } from '@/ui/words'
import { SimilarAlertsDocument } from './alerts.gql'

/** Earlier alerts that look like this one, with what they turned out to be. */
export function Similar({ alertId }: { alertId: string }) {
  const query = useQuery(ask('alert', SimilarAlertsDocument, { id: alertId }))
  return (
    <Panel title="Similar alerts">
      <Answered query={query} rows={2}>
        {(data) =>
          data.alert?.similar?.length ? (
            <ul className="stack">
              {data.alert.similar.map(({ alert, similarity, shared }) => (
                <li key={alert.id} className="stack tight">
                  <span className="row">
                    <SeverityShape level={alert.severity} />
                    <Link to="/alerts/$id" params={{ id: alert.id }} className="grow">
                      {alert.title}
                    </Link>
                    <StateOf state={alert.verdict ?? alert.status} />
                  </span>
                  <span className="dim small">
                    {percent(similarity)} alike: {shared.join(', ')} · <Time at={alert.updatedAt} />
                  </span>
                </li>
              ))}
            </ul>
          ) : (
            <p className="dim">Nothing like it was seen before.</p>
          )
        }
      </Answered>
    </Panel>
  )
}
