import { useQuery } from '@tanstack/react-query'
import { ask } from '@/api/graphql'
import { AlertTable } from '@/features/alerts/AlertTable'
import { Panel } from '@/ui/Page'
import { RiskPanel } from '@/ui/RiskPanel'
import { Answered, Empty } from '@/ui/States'
import type { VendorData } from './VendorPage'
import { VendorAlertsDocument } from './vendors.gql'

export function VendorAlerts({ vendor }: { vendor: VendorData }) {
  const query = useQuery(ask('alerts', VendorAlertsDocument, { entity: vendor.entity.id }))
  return (
    <div className="columns">
      <Panel title="Alerts it takes part in" flush>
        <Answered query={query}>
          {({ entity }) =>
            entity?.alerts.edges.length ? (
              <AlertTable rows={entity.alerts.edges.map((edge) => edge.node)} />
            ) : (
              <Empty title="It takes part in no alert" />
            )
          }
        </Answered>
      </Panel>
      <RiskPanel risk={vendor.risk} />
    </div>
  )
}
