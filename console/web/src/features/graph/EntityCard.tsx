import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ask } from '@/api/graphql'
import { VendorsDocument } from '@/features/vendors/vendors.gql'
import { Evidence, Facts } from '@/ui/Facts'
import { Panel } from '@/ui/Page'
import { RiskPanel } from '@/ui/RiskPanel'
import { RiskScore, SeverityShape } from '@/ui/Severity'
import { StateOf } from '@/ui/Status'
import { Time } from '@/ui/Time'
import { Word } from '@/ui/words'
import type { NeighbourhoodQuery } from './graph.gql'

export type EntityData = NonNullable<NeighbourhoodQuery['entity']>

/** What is known of the thing in the middle. */
export function EntityCard({ entity }: { entity: EntityData }) {
  const alerts = entity.alerts.edges.map((edge) => edge.node)
  return (
    <div className="stack loose">
      <Panel title={Word(entity.kind)} aside={<RiskScore score={entity.risk.score} level={entity.risk.level} />}>
        <div className="stack">
          <Facts
            facts={[
              ['Name', entity.name],
              ['Key', entity.key === entity.name ? null : <code key="key">{entity.key}</code>],
              ['First seen', <Time key="first" at={entity.firstSeen} />],
              ['Last seen', <Time key="last" at={entity.lastSeen} />],
            ]}
          />
          <Evidence value={entity.attributes} />
          {entity.kind === 'VENDOR' && <VendorLink name={entity.name} />}
        </div>
      </Panel>
      <RiskPanel risk={entity.risk} />
      {alerts.length > 0 && (
        <Panel
          title="Alerts"
          flush
          aside={
            <Link to="/alerts" search={{ entity: entity.id, status: 'ALL' }}>
              All
            </Link>
          }
        >
          <ul className="rows">
            {alerts.map((alert) => (
              <li key={alert.id} className="row">
                <SeverityShape level={alert.severity} />
                <Link to="/alerts/$id" params={{ id: alert.id }} className="grow">
                  {alert.title}
                </Link>
                <StateOf state={alert.status} />
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </div>
  )
}

function VendorLink({ name }: { name: string }) {
  const query = useQuery(ask('vendors', VendorsDocument, { query: name }))
  const vendor = query.data?.vendors.edges.find((edge) => edge.node.name === name)?.node
  if (!vendor) return null
  return (
    <Link to="/vendors/$id" params={{ id: vendor.id }}>
      Open the vendor's page
    </Link>
  )
}
