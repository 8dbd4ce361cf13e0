import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { ask, askPages } from '@/api/graphql'
import { type Column, DataTable } from '@/ui/DataTable'
import { Evidence } from '@/ui/Facts'
import { FilterBar, SearchField } from '@/ui/Filters'
import { Panel } from '@/ui/Page'
import { Answered, Empty, Failed, Loading } from '@/ui/States'
import { Status } from '@/ui/Status'
import { ClockTime } from '@/ui/Time'
import { count, word } from '@/ui/words'
import { AuditDocument, type AuditQuery, AuditVerificationDocument } from './settings.gql'

const route = getRouteApi('/settings')

type Row = AuditQuery['audit']['edges'][number]['node']

const columns: ReadonlyArray<Column<Row>> = [
  { key: 'n', head: '#', align: 'end', from: 'tablet', cell: (one) => <span className="num dim">{one.sequence}</span> },
  { key: 'at', head: 'When', cell: (one) => <ClockTime at={one.at} /> },
  {
    key: 'actor',
    head: 'Who',
    cell: (one) => (
      <>
        {one.actor} <span className="dim small">{word(one.role)}</span>
      </>
    ),
  },
  {
    key: 'action',
    head: 'What',
    wide: true,
    cell: (one) => (
      <details>
        <summary>
          {one.action} <code className="dim wrap">{one.target}</code>
        </summary>
        <Evidence value={one.detail} />
        <p className="dim small">
          Hash <code className="wrap">{one.hash}</code>
        </p>
      </details>
    ),
  },
]

/** Every change and every read of personal data, in a chain that shows when it was cut. */
export function Audit() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const set = (change: Partial<typeof search>) => void navigate({ search: { ...search, ...change }, replace: true })
  const list = useInfiniteQuery(
    askPages('audit', AuditDocument, { actor: search.actor, action: search.action }, (result) => result.audit.pageInfo),
  )
  const rows = list.data?.pages.flatMap((page) => page.audit.edges.map((edge) => edge.node)) ?? []
  return (
    <>
      <FilterBar
        isFiltered={Boolean(search.actor || search.action)}
        onClear={() => set({ actor: undefined, action: undefined })}
      >
        <SearchField
          label="By whom"
          value={search.actor ?? ''}
          onChange={(actor) => set({ actor: actor || undefined })}
        />
        <SearchField
          label="Action"
          value={search.action ?? ''}
          onChange={(action) => set({ action: action || undefined })}
        />
      </FilterBar>
      <Panel title="Audit log" flush aside={<Chain />}>
        {list.isPending && <Loading rows={8} />}
        {list.error && <Failed error={list.error} retry={() => void list.refetch()} />}
        {list.data && rows.length === 0 && (
          <Empty title="No entry fits">Names must be exact, such as acknowledgeAlert.</Empty>
        )}
        {rows.length > 0 && (
          <DataTable
            label="Audit log"
            rows={rows}
            columns={columns}
            rowKey={(one) => String(one.sequence)}
            more={
              list.hasNextPage ? { load: () => void list.fetchNextPage(), isLoading: list.isFetchingNextPage } : null
            }
          />
        )}
      </Panel>
    </>
  )
}

function Chain() {
  const query = useQuery(ask('audit', AuditVerificationDocument, {}))
  return (
    <Answered query={query} rows={1}>
      {({ auditVerification: chain }) =>
        chain.whole ? (
          <Status tone="good" title={`Head ${chain.head}`}>
            whole, {count(chain.entries)} entries
          </Status>
        ) : (
          <Status tone="bad">
            broken at entry {chain.firstBroken}: {chain.reason}
          </Status>
        )
      }
    </Answered>
  )
}
