import { TextInput } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { askPages, useChange } from '@/api/graphql'
import { Action } from '@/ui/Action'
import { type Column, DataTable, rowLink } from '@/ui/DataTable'
import { Choice, FilterBar, SearchField } from '@/ui/Filters'
import { FormDialog } from '@/ui/FormDialog'
import { PageHead, Panel } from '@/ui/Page'
import { Severity } from '@/ui/Severity'
import { Empty, Failed, Loading } from '@/ui/States'
import { StateOf } from '@/ui/Status'
import { Time } from '@/ui/Time'
import { plural } from '@/ui/words'
import { CasesDocument, type CasesQuery, CreateCaseDocument } from './cases.gql'

const route = getRouteApi('/cases')

type Row = CasesQuery['cases']['edges'][number]['node']

const columns: ReadonlyArray<Column<Row>> = [
  { key: 'severity', head: 'Severity', cell: (one) => <Severity level={one.severity} /> },
  {
    key: 'title',
    head: 'Case',
    wide: true,
    cell: (one) => (
      <Link to="/cases/$id" params={{ id: one.id }} {...rowLink}>
        {one.title}
      </Link>
    ),
  },
  {
    key: 'alerts',
    head: 'Alerts',
    align: 'end',
    from: 'tablet',
    cell: (one) => <span className="num">{one.alerts.totalCount ?? '-'}</span>,
  },
  {
    key: 'assignee',
    head: 'Assignee',
    from: 'tablet',
    cell: (one) => one.assignee ?? <span className="dim">nobody</span>,
  },
  {
    key: 'status',
    head: 'Status',
    cell: (one) => (one.mergedInto ? <StateOf state="MERGED" /> : <StateOf state={one.status} />),
  },
  { key: 'updated', head: 'Changed', from: 'tablet', align: 'end', cell: (one) => <Time at={one.updatedAt} /> },
]

/** Cases: alerts that are worked on together. */
export function CasesPage() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const set = (change: Partial<typeof search>) => void navigate({ search: { ...search, ...change }, replace: true })
  const [isNew, setNew] = useState(false)
  const { status = 'OPEN' } = search
  const variables = { status: status === 'ALL' ? undefined : status, query: search.query }
  const list = useInfiniteQuery(askPages('cases', CasesDocument, variables, (result) => result.cases.pageInfo))
  const rows = list.data?.pages.flatMap((page) => page.cases.edges.map((edge) => edge.node)) ?? []
  return (
    <>
      <PageHead
        title="Cases"
        lead="Alerts that belong to one piece of work. An alert may be in several."
        actions={
          <Action needs="TRIAGE" variant="filled" onClick={() => setNew(true)}>
            New case
          </Action>
        }
      />
      <FilterBar isFiltered={Boolean(search.query || search.status)} onClear={() => void navigate({ search: {} })}>
        <SearchField
          label="Search cases"
          value={search.query ?? ''}
          onChange={(query) => set({ query: query || undefined })}
        />
        <Choice<'CLOSED' | 'ALL'>
          label="Status"
          any="open"
          value={search.status === 'OPEN' ? undefined : search.status}
          options={['CLOSED', 'ALL']}
          onChange={(next) => set({ status: next })}
        />
      </FilterBar>
      <Panel title="Cases" flush aside={rows.length > 0 && plural(rows.length, 'case')}>
        {list.isPending && <Loading rows={6} />}
        {list.error && <Failed error={list.error} retry={() => void list.refetch()} />}
        {list.data && rows.length === 0 && (
          <Empty title="No cases here" icon="cases">
            Open one here, or from an alert by "Add to a case".
          </Empty>
        )}
        {rows.length > 0 && (
          <DataTable
            label="Cases"
            rows={rows}
            columns={columns}
            rowKey={(one) => one.id}
            more={
              list.hasNextPage ? { load: () => void list.fetchNextPage(), isLoading: list.isFetchingNextPage } : null
            }
          />
        )}
      </Panel>
      {isNew && (
        <NewCase onClose={() => setNew(false)} onMade={(id) => void navigate({ to: '/cases/$id', params: { id } })} />
      )}
    </>
  )
}

function NewCase({ onClose, onMade }: { onClose: () => void; onMade: (id: string) => void }) {
  const [title, setTitle] = useState('')
  const create = useChange(CreateCaseDocument, {
    touches: ['cases'],
    done: 'Case opened',
    onDone: (result) => onMade(result.createCase.id),
  })
  return (
    <FormDialog
      title="New case"
      verb="Open case"
      isBusy={create.isPending}
      isReady={title.trim() !== ''}
      onClose={onClose}
      onSubmit={() => create.mutate({ input: { title: title.trim() } })}
    >
      <TextInput data-autofocus label="Title" value={title} onChange={(event) => setTitle(event.currentTarget.value)} />
    </FormDialog>
  )
}
