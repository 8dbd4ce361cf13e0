import { useQuery } from '@tanstack/react-query'
import { ask } from '@/api/graphql'
import { Panel } from '@/ui/Page'
import { Answered } from '@/ui/States'
import { StateOf } from '@/ui/Status'
import { Time } from '@/ui/Time'
import { plural, word } from '@/ui/words'
import { AlertDeliveriesDocument } from './alerts.gql'

/** Where the alert was sent, and whether it arrived. */
export function Deliveries({ alertId }: { alertId: string }) {
  const query = useQuery(ask('alert', AlertDeliveriesDocument, { id: alertId }))
  return (
    <Panel title="Deliveries">
      <Answered query={query} rows={1}>
        {(data) =>
          data.alert?.deliveries?.edges.length ? (
            <ul className="stack tight">
              {data.alert.deliveries.edges.map(({ node }) => (
                <li key={node.id} className="row">
                  <span className="grow">
                    {node.channel.name} <span className="dim small">{word(node.channel.kind)}</span>
                  </span>
                  <span className="dim small" title={node.attempts.at(-1)?.error ?? undefined}>
                    {plural(node.attempts.length, 'attempt')}, <Time at={node.deliveredAt ?? node.createdAt} />
                  </span>
                  <StateOf state={node.state} />
                </li>
              ))}
            </ul>
          ) : (
            <p className="dim">No channel wants this alert. Channels are set up in the settings.</p>
          )
        }
      </Answered>
    </Panel>
  )
}
