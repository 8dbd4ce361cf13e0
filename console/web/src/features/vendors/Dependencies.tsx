import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ask } from '@/api/graphql'
import { RelationPicture } from '@/charts/RelationPicture'
import { Panel } from '@/ui/Page'
import { RiskScore } from '@/ui/Severity'
import { Answered, Empty } from '@/ui/States'
import { Time } from '@/ui/Time'
import { word } from '@/ui/words'
import type { VendorData } from './VendorPage'
import { VendorScriptsDocument } from './vendors.gql'

/** Whom the vendor depends on, the connections it runs, and the scripts its pages load. */
export function Dependencies({ vendor }: { vendor: VendorData }) {
  const graph = useQuery(ask('vendors', VendorScriptsDocument, { entity: vendor.entity.id }))
  return (
    <div className="stack loose">
      <Panel title="Fourth parties" aside={`${vendor.fourthParties.length} found`}>
        {vendor.fourthParties.length ? (
          <RelationPicture label={`Whom ${vendor.name} depends on`} relations={vendor.fourthParties} />
        ) : (
          <Empty title="No dependencies found" icon="graph">
            They show once an assessment saw where the vendor's names, mail and scripts come from.
          </Empty>
        )}
      </Panel>
      <div className="columns even">
        <Panel title="Integrations" flush>
          {vendor.integrations.length ? (
            <ul className="rows">
              {vendor.integrations.map((one) => (
                <li key={one.id} className="row">
                  <Link to="/integrations/$id" params={{ id: one.id }} className="grow">
                    {one.name}
                  </Link>
                  <RiskScore score={one.risk.score} level={one.risk.level} />
                </li>
              ))}
            </ul>
          ) : (
            <Empty title="It runs no API connection we know of" icon="integrations">
              Name them in Edit if it does.
            </Empty>
          )}
        </Panel>
        <Panel title="Scripts and hosts" flush>
          <Answered query={graph}>
            {({ entity }) => {
              const relations = entity?.relations.edges.map((edge) => edge.node) ?? []
              if (relations.length === 0) return <Empty title="None seen" />
              return (
                <ul className="rows">
                  {relations.map((relation) => {
                    const other = relation.to.id === vendor.entity.id ? relation.from : relation.to
                    return (
                      <li key={relation.id} className="row">
                        <span className="dim small">{word(relation.kind)}</span>
                        <Link to="/graph" search={{ id: other.id }} className="grow wrap">
                          {other.name}
                        </Link>
                        <span className="dim small">
                          {word(other.kind)}, seen <Time at={relation.lastSeen} />
                        </span>
                      </li>
                    )
                  })}
                </ul>
              )
            }}
          </Answered>
        </Panel>
      </div>
    </div>
  )
}
