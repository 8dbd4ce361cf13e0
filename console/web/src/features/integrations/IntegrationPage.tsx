import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ask } from '@/api/graphql'
import { SignalRow } from '@/features/alerts/Signals'
import { PageHead, Panel } from '@/ui/Page'
import { RiskPanel } from '@/ui/RiskPanel'
import { RiskScore } from '@/ui/Severity'
import { Answered, Empty } from '@/ui/States'
import { plural } from '@/ui/words'
import { Baseline } from './Baseline'
import { IntegrationDocument, type IntegrationQuery } from './integrations.gql'
import { Traffic } from './Traffic'

const route = getRouteApi('/integrations/$id')

export type IntegrationData = NonNullable<IntegrationQuery['integration']>

/** One partner connection: its traffic against what is normal for it. */
export function IntegrationPage() {
  const { id } = route.useParams()
  const query = useQuery(ask('integrations', IntegrationDocument, { id }))
  return (
    <Answered query={query} rows={10}>
      {({ integration }) =>
        integration ? (
          <IntegrationView integration={integration} />
        ) : (
          <Empty title="No such integration" icon="integrations">
            See <Link to="/integrations">all integrations</Link>.
          </Empty>
        )
      }
    </Answered>
  )
}

function IntegrationView({ integration }: { integration: IntegrationData }) {
  const { range = 'week' } = route.useSearch()
  const navigate = route.useNavigate()
  const signals = integration.signals.edges.map((edge) => edge.node)
  return (
    <>
      <PageHead
        title={integration.name}
        above={<Link to="/integrations">Integrations</Link>}
        marks={<RiskScore score={integration.risk.score} level={integration.risk.level} />}
        lead={
          integration.vendor ? (
            <>
              Run by{' '}
              <Link to="/vendors/$id" params={{ id: integration.vendor.id }}>
                {integration.vendor.name}
              </Link>
            </>
          ) : (
            'No vendor is known for it. Name it in the vendor that runs it.'
          )
        }
      />
      <div className="stack loose">
        <Traffic
          integrationId={integration.id}
          range={range}
          onRange={(next) => void navigate({ search: { range: next }, replace: true })}
        />
        <div className="columns">
          <div className="stack loose">
            <Panel title="Signals" flush aside={signals.length > 0 && plural(signals.length, 'signal')}>
              {signals.length ? (
                signals.map((signal, index) => <SignalRow key={signal.id} signal={signal} isOpen={index === 0} />)
              ) : (
                <Empty title="Nothing odd seen">Its calls stay within what is normal for it.</Empty>
              )}
            </Panel>
            <Baseline baseline={integration.baseline} />
          </div>
          <div className="stack loose">
            <RiskPanel risk={integration.risk} />
            <Panel title="Keys">
              <ul className="stack tight">
                {integration.keys.map((key) => (
                  <li key={key.id}>
                    <Link to="/graph" search={{ id: key.id }} className="mono wrap">
                      {key.name}
                    </Link>
                  </li>
                ))}
              </ul>
            </Panel>
          </div>
        </div>
      </div>
    </>
  )
}
