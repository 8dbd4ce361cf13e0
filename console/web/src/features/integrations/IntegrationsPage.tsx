import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { askPages } from '@/api/graphql'
import { type Column, DataTable, rowLink } from '@/ui/DataTable'
import { PageHead, Panel } from '@/ui/Page'
import { RiskScore } from '@/ui/Severity'
import { Empty, Failed, Loading } from '@/ui/States'
import { plural } from '@/ui/words'
import { IntegrationsDocument, type IntegrationsQuery } from './integrations.gql'

type Row = IntegrationsQuery['integrations']['edges'][number]['node']

const columns: ReadonlyArray<Column<Row>> = [
  { key: 'risk', head: 'Risk', cell: (one) => <RiskScore score={one.risk.score} level={one.risk.level} /> },
  {
    key: 'name',
    head: 'Integration',
    wide: true,
    cell: (one) => (
      <Link to="/integrations/$id" params={{ id: one.id }} {...rowLink}>
        {one.name}
      </Link>
    ),
  },
  {
    key: 'vendor',
    head: 'Vendor',
    cell: (one) =>
      one.vendor ? (
        <Link to="/vendors/$id" params={{ id: one.vendor.id }}>
          {one.vendor.name}
        </Link>
      ) : (
        <span className="dim">not known</span>
      ),
  },
  {
    key: 'keys',
    head: 'Keys',
    from: 'tablet',
    align: 'end',
    cell: (one) => <span className="num">{one.keys.length}</span>,
  },
]

/** The API connections of partners, riskiest first within what is loaded. */
export function IntegrationsPage() {
  const list = useInfiniteQuery(
    askPages('integrations', IntegrationsDocument, {}, (result) => result.integrations.pageInfo),
  )
  const rows = (list.data?.pages.flatMap((page) => page.integrations.edges.map((edge) => edge.node)) ?? []).toSorted(
    (a, b) => b.risk.score - a.risk.score,
  )
  return (
    <>
      <PageHead
        title="Integrations"
        lead="Partner connections to our APIs. Each learns what is normal for it, and is measured against that."
      />
      <Panel title="Connections" flush aside={rows.length > 0 && plural(rows.length, 'connection')}>
        {list.isPending && <Loading rows={8} />}
        {list.error && <Failed error={list.error} retry={() => void list.refetch()} />}
        {list.data && rows.length === 0 && (
          <Empty title="No integrations seen yet" icon="integrations">
            They appear by themselves once API calls with a partner's key come in. See the log formats in the
            documentation.
          </Empty>
        )}
        {rows.length > 0 && (
          <DataTable
            label="Integrations"
            rows={rows}
            columns={columns}
            rowKey={(one) => one.id}
            more={
              list.hasNextPage ? { load: () => void list.fetchNextPage(), isLoading: list.isFetchingNextPage } : null
            }
          />
        )}
      </Panel>
    </>
  )
}
