import { Switch } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { askPages } from '@/api/graphql'
import type { AlertFilter, AlertStatus, Severity } from '@/api/schema.gen'
import { useMe } from '@/features/session/me'
import { Choice, FilterBar, SearchField } from '@/ui/Filters'
import { PageHead, Panel } from '@/ui/Page'
import { Empty, Failed, Loading } from '@/ui/States'
import { plural } from '@/ui/words'
import { AlertTable } from './AlertTable'
import { AlertsDocument } from './alerts.gql'

const route = getRouteApi('/alerts')

/** All alerts, newest change first, by filters that live in the address. */
export function AlertsPage() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const set = (change: Partial<typeof search>) => void navigate({ search: { ...search, ...change }, replace: true })
  const filter = filterOf(search)
  const list = useInfiniteQuery(askPages('alerts', AlertsDocument, { filter }, (result) => result.alerts.pageInfo))
  const rows = list.data?.pages.flatMap((page) => page.alerts.edges.map((edge) => edge.node)) ?? []
  const { status = 'OPEN', ...others } = search
  const isFiltered = search.status !== undefined || Object.values(others).some((value) => value !== undefined)
  return (
    <>
      <PageHead title="Alerts" lead="Signals that belong together, with why and what to do. Last changed first." />
      <FilterBar isFiltered={isFiltered} onClear={() => void navigate({ search: {} })}>
        <SearchField
          label="Search alerts"
          value={search.query ?? ''}
          onChange={(query) => set({ query: query || undefined })}
        />
        <Choice<AlertStatus | 'ALL'>
          label="Status"
          any="open"
          value={search.status}
          options={['ACKNOWLEDGED', 'RESOLVED', 'ALL']}
          onChange={(next) => set({ status: next })}
        />
        <Choice<Severity>
          label="Severity"
          value={search.severity}
          options={severities}
          onChange={(next) => set({ severity: next })}
        />
        <AssigneeChoice value={search.assignee} onChange={(assignee) => set({ assignee })} />
        <div className="row">
          <Switch
            label="Overdue"
            checked={search.overdue ?? false}
            onChange={(event) => set({ overdue: event.currentTarget.checked || undefined })}
          />
          <Switch
            label="Muted too"
            checked={search.muted ?? false}
            onChange={(event) => set({ muted: event.currentTarget.checked || undefined })}
          />
        </div>
      </FilterBar>
      <Panel
        title={status === 'ALL' ? 'All alerts' : `${status.charAt(0)}${status.slice(1).toLowerCase()} alerts`}
        flush
        aside={rows.length > 0 && shownText(rows.length, list.hasNextPage)}
      >
        {list.isPending && <Loading rows={8} />}
        {list.error && <Failed error={list.error} retry={() => void list.refetch()} />}
        {list.data && rows.length === 0 && (
          <Empty title={isFiltered ? 'No alert fits these filters' : 'No open alerts'}>
            {isFiltered
              ? 'Clear a filter to see more.'
              : 'When something happens, it appears here by itself, within a second.'}
          </Empty>
        )}
        {rows.length > 0 && (
          <AlertTable
            rows={rows}
            more={
              list.hasNextPage ? { load: () => void list.fetchNextPage(), isLoading: list.isFetchingNextPage } : null
            }
          />
        )}
      </Panel>
    </>
  )
}

const severities = [
  { value: 'CRITICAL', label: 'Critical only' },
  { value: 'HIGH', label: 'High and worse' },
  { value: 'MEDIUM', label: 'Medium and worse' },
  { value: 'LOW', label: 'Low and worse' },
] as const

function shownText(shown: number, isMore: boolean): string {
  return isMore ? `first ${shown}` : plural(shown, 'alert')
}

function filterOf(search: ReturnType<typeof route.useSearch>): AlertFilter {
  const { status = 'OPEN', severity, muted, ...same } = search
  return {
    ...same,
    ...(status === 'ALL' ? {} : { status: [status] }),
    ...(severity ? { minSeverity: severity } : {}),
    // Muted alerts stand aside until asked for.
    ...(muted ? {} : { muted: false }),
  }
}

function AssigneeChoice({
  value,
  onChange,
}: {
  value: string | undefined
  onChange: (value: string | undefined) => void
}) {
  const me = useMe()
  const options = [...new Set([me?.name, value])].filter((name): name is string => Boolean(name))
  return (
    <Choice
      label="Assignee"
      value={value}
      options={options.map((name) => ({ value: name, label: name === me?.name ? 'Assigned to me' : name }))}
      onChange={onChange}
    />
  )
}
