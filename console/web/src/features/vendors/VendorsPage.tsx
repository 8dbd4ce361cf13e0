import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import type { VendorRowFragment } from '@/api/fragments.gql'
import { askPages } from '@/api/graphql'
import type { Grade as Letter, VendorTier } from '@/api/schema.gen'
import { Action } from '@/ui/Action'
import { type Column, DataTable, rowLink } from '@/ui/DataTable'
import { Choice, FilterBar, SearchField } from '@/ui/Filters'
import { Grade } from '@/ui/Grade'
import { useKeys } from '@/ui/keys'
import { PageHead, Panel } from '@/ui/Page'
import { RiskScore } from '@/ui/Severity'
import { Sparkline } from '@/ui/Sparkline'
import { Empty, Failed, Loading } from '@/ui/States'
import { Time } from '@/ui/Time'
import { percent, plural, Word } from '@/ui/words'
import { VendorDialog } from './VendorDialog'
import { VendorsDocument } from './vendors.gql'

const route = getRouteApi('/vendors')

const columns: ReadonlyArray<Column<VendorRowFragment>> = [
  { key: 'grade', head: 'Grade', cell: (vendor) => <Grade grade={vendor.posture?.grade ?? 'NR'} /> },
  {
    key: 'name',
    head: 'Vendor',
    wide: true,
    cell: (vendor) => (
      <>
        <Link to="/vendors/$id" params={{ id: vendor.id }} {...rowLink}>
          {vendor.name}
        </Link>{' '}
        <span className="dim small">{vendor.domains[0]}</span>
      </>
    ),
  },
  { key: 'tier', head: 'Tier', from: 'tablet', cell: (vendor) => Word(vendor.tier) },
  {
    key: 'score',
    head: 'Score',
    align: 'end',
    from: 'tablet',
    cell: (vendor) => <span className="num">{vendor.posture?.score?.toFixed(0) ?? '-'}</span>,
  },
  {
    key: 'history',
    head: 'History',
    from: 'desktop',
    cell: (vendor) => (
      <Sparkline
        label={`Score of ${vendor.name}`}
        values={vendor.postureHistory.map((one) => one.score).toReversed()}
      />
    ),
  },
  {
    key: 'coverage',
    head: 'Coverage',
    align: 'end',
    from: 'desktop',
    cell: (vendor) => (vendor.posture ? percent(vendor.posture.coverage) : '-'),
  },
  { key: 'risk', head: 'Risk', cell: (vendor) => <RiskScore score={vendor.risk.score} level={vendor.risk.level} /> },
  {
    key: 'owner',
    head: 'Owner',
    from: 'desktop',
    cell: (vendor) => vendor.owner ?? <span className="dim">nobody</span>,
  },
  {
    key: 'assessed',
    head: 'Assessed',
    from: 'tablet',
    align: 'end',
    cell: (vendor) => (vendor.posture ? <Time at={vendor.posture.assessedAt} /> : <span className="dim">not yet</span>),
  },
]

const ORDERS: Record<'risk' | 'score' | 'name', (a: VendorRowFragment, b: VendorRowFragment) => number> = {
  risk: (a, b) => b.risk.score - a.risk.score,
  score: (a, b) => (a.posture?.score ?? 101) - (b.posture?.score ?? 101),
  name: (a, b) => a.name.localeCompare(b.name),
}

/** The portfolio: who the shop depends on, and how they stand. */
export function VendorsPage() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const set = (change: Partial<typeof search>) => void navigate({ search: { ...search, ...change }, replace: true })
  const variables = { query: search.query, tiers: search.tier ? [search.tier] : undefined, maxGrade: search.grade }
  const list = useInfiniteQuery(askPages('vendors', VendorsDocument, variables, (result) => result.vendors.pageInfo))
  const rows = useMemo(() => {
    const all = list.data?.pages.flatMap((page) => page.vendors.edges.map((edge) => edge.node)) ?? []
    return search.order ? all.toSorted(ORDERS[search.order]) : all
  }, [list.data, search.order])
  const isFiltered = Boolean(search.query || search.tier || search.grade)
  useKeys('Vendors', [{ keys: 'n', does: 'Add a vendor', run: () => set({ add: true }) }])
  return (
    <>
      <PageHead
        title="Vendors"
        lead="Who the shop depends on, judged from outside. A grade of D or worse is worth a call."
        actions={
          <Action needs="ADMINISTER" variant="filled" onClick={() => set({ add: true })}>
            Add vendor
          </Action>
        }
      />
      <FilterBar isFiltered={isFiltered} onClear={() => void navigate({ search: {} })}>
        <SearchField
          label="Search vendors"
          value={search.query ?? ''}
          onChange={(query) => set({ query: query || undefined })}
        />
        <Choice<VendorTier>
          label="Tier"
          value={search.tier}
          options={['CRITICAL', 'HIGH', 'MEDIUM', 'LOW']}
          onChange={(tier) => set({ tier })}
        />
        <Choice<Letter> label="Grade" value={search.grade} options={grades} onChange={(grade) => set({ grade })} />
        <Choice<'risk' | 'score' | 'name'>
          label="Order"
          any="as added"
          value={search.order}
          options={orders}
          onChange={(order) => set({ order })}
        />
      </FilterBar>
      <Panel
        title="Portfolio"
        flush
        aside={rows.length > 0 && (list.hasNextPage ? `first ${rows.length}` : plural(rows.length, 'vendor'))}
      >
        {list.isPending && <Loading rows={8} />}
        {list.error && <Failed error={list.error} retry={() => void list.refetch()} />}
        {list.data && rows.length === 0 && (
          <Empty title={isFiltered ? 'No vendor fits these filters' : 'No vendors yet'} icon="vendors">
            {isFiltered ? (
              'Clear a filter to see more.'
            ) : (
              <>
                Add one above, or import a list in the{' '}
                <Link to="/settings" search={{ section: 'import' }}>
                  settings
                </Link>
                . Each is assessed at once.
              </>
            )}
          </Empty>
        )}
        {rows.length > 0 && (
          <DataTable
            label="Vendors"
            rows={rows}
            columns={columns}
            rowKey={(vendor) => vendor.id}
            more={
              list.hasNextPage ? { load: () => void list.fetchNextPage(), isLoading: list.isFetchingNextPage } : null
            }
          />
        )}
      </Panel>
      {search.add && (
        <VendorDialog
          onClose={() => set({ add: undefined })}
          onSaved={(id) => void navigate({ to: '/vendors/$id', params: { id } })}
        />
      )}
    </>
  )
}

const grades = (['B', 'C', 'D', 'F'] as const).map((value) => ({ value, label: `${value} or worse` }))
const orders = [
  { value: 'risk', label: 'Highest risk first' },
  { value: 'score', label: 'Lowest score first' },
  { value: 'name', label: 'By name' },
] as const
