import { Tabs } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import type { ReportRowFragment } from '@/api/fragments.gql'
import { askPages } from '@/api/graphql'
import type { ReportKind } from '@/api/schema.gen'
import { Action } from '@/ui/Action'
import { type Column, DataTable, rowLink } from '@/ui/DataTable'
import { Choice, FilterBar } from '@/ui/Filters'
import { PageHead, Panel } from '@/ui/Page'
import { Empty, Failed, Loading } from '@/ui/States'
import { Status } from '@/ui/Status'
import { ClockTime, Time } from '@/ui/Time'
import { plural, Word } from '@/ui/words'
import { MakeDialog } from './MakeDialog'
import { ReportDialog } from './ReportDialog'
import classes from './Reports.module.css'
import { ReportsDocument } from './reports.gql'
import { Schedules } from './Schedules'

const route = getRouteApi('/reports')

export const REPORT_KINDS: ReportKind[] = ['VENDOR_MANAGER', 'RISK_LEAD', 'BOARD', 'VENDOR']

/** Reports: made now or by the clock, signed, to read, download and share. */
export function ReportsPage() {
  const { tab = 'reports', open } = route.useSearch()
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const [isMaking, setMaking] = useState(false)
  const set = (change: Partial<typeof search>) => void navigate({ search: { ...search, ...change }, replace: true })
  return (
    <>
      <PageHead
        title="Reports"
        lead="For those who read once a week. Every figure leads to its evidence; every file is signed."
        actions={
          <Action needs="TRIAGE" variant="filled" onClick={() => setMaking(true)}>
            Make a report
          </Action>
        }
      />
      <Tabs value={tab} keepMounted={false} onChange={(next) => set({ tab: next as typeof tab })}>
        <Tabs.List mb="sm">
          <Tabs.Tab value="reports">Reports</Tabs.Tab>
          <Tabs.Tab value="schedules">Schedules</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="reports">
          <ReportList kind={search.kind} onKind={(kind) => set({ kind })} onOpen={(id) => set({ open: id })} />
        </Tabs.Panel>
        <Tabs.Panel value="schedules">
          <Schedules onOpen={(id) => set({ tab: 'reports', open: id })} />
        </Tabs.Panel>
      </Tabs>
      {isMaking && (
        <MakeDialog
          onClose={() => setMaking(false)}
          onMade={(id) => {
            setMaking(false)
            set({ open: id })
          }}
        />
      )}
      {open && <ReportDialog reportId={open} onClose={() => set({ open: undefined })} />}
    </>
  )
}

interface ListProps {
  kind: ReportKind | undefined
  onKind: (kind: ReportKind | undefined) => void
  onOpen: (id: string) => void
}

function ReportList({ kind, onKind, onOpen }: ListProps) {
  const list = useInfiniteQuery(askPages('reports', ReportsDocument, { kind }, (result) => result.reports.pageInfo))
  const rows = list.data?.pages.flatMap((page) => page.reports.edges.map((edge) => edge.node)) ?? []
  const columns: ReadonlyArray<Column<ReportRowFragment>> = [
    {
      key: 'title',
      head: 'Report',
      wide: true,
      cell: (report) => (
        <>
          <button type="button" className={classes.link} onClick={() => onOpen(report.id)} {...rowLink}>
            {report.title}
          </button>{' '}
          {report.stale.length > 0 && (
            <Status tone="warn" title={report.stale.join('\n')}>
              stale input
            </Status>
          )}
        </>
      ),
    },
    { key: 'kind', head: 'For', from: 'tablet', cell: (report) => Word(report.kind) },
    { key: 'asOf', head: 'As of', cell: (report) => <ClockTime at={report.asOf} /> },
    { key: 'by', head: 'Made by', from: 'desktop', cell: (report) => report.schedule?.name ?? report.createdBy },
    { key: 'made', head: 'Made', from: 'tablet', align: 'end', cell: (report) => <Time at={report.createdAt} /> },
  ]
  return (
    <>
      <FilterBar>
        <Choice<ReportKind> label="For" any="everybody" value={kind} options={REPORT_KINDS} onChange={onKind} />
      </FilterBar>
      <Panel title="Reports" flush aside={rows.length > 0 && plural(rows.length, 'report')}>
        {list.isPending && <Loading rows={6} />}
        {list.error && <Failed error={list.error} retry={() => void list.refetch()} />}
        {list.data && rows.length === 0 && (
          <Empty title="No reports yet" icon="reports">
            Make one now, or set up a schedule.
          </Empty>
        )}
        {rows.length > 0 && (
          <DataTable
            label="Reports"
            rows={rows}
            columns={columns}
            rowKey={(report) => report.id}
            more={
              list.hasNextPage ? { load: () => void list.fetchNextPage(), isLoading: list.isFetchingNextPage } : null
            }
          />
        )}
      </Panel>
    </>
  )
}
