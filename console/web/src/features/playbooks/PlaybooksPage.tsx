import { Tabs } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { ask, askPages } from '@/api/graphql'
import { Action } from '@/ui/Action'
import { type Column, DataTable, rowLink } from '@/ui/DataTable'
import { PageHead, Panel } from '@/ui/Page'
import { Answered, Empty, Failed, Loading } from '@/ui/States'
import { StateOf, Status } from '@/ui/Status'
import { Time } from '@/ui/Time'
import { duration, word } from '@/ui/words'
import { ApprovalList } from './ApprovalList'
import { PlaybookEditor } from './PlaybookEditor'
import {
  ApprovalsDocument,
  PlaybooksDocument,
  type PlaybooksQuery,
  RunsDocument,
  type RunsQuery,
} from './playbooks.gql'
import { Switches } from './Switches'

const route = getRouteApi('/playbooks')

type PlaybookRow = PlaybooksQuery['playbooks']['edges'][number]['node']
type RunRow = RunsQuery['runs']['edges'][number]['node']

/** What can be done about alerts by the service itself, what it is doing, and what waits for people. */
export function PlaybooksPage() {
  const { tab = 'playbooks' } = route.useSearch()
  const navigate = route.useNavigate()
  const [dialog, setDialog] = useState<'new' | 'import' | null>(null)
  return (
    <>
      <PageHead
        title="Playbooks"
        lead="Steps that contain an attack: with dry run, approval, limits and undo."
        actions={
          <>
            <Action needs="ADMINISTER" onClick={() => setDialog('import')}>
              Import CACAO
            </Action>
            <Action needs="ADMINISTER" variant="filled" onClick={() => setDialog('new')}>
              New playbook
            </Action>
          </>
        }
      />
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(next) => void navigate({ search: { tab: next as typeof tab }, replace: true })}
      >
        <Tabs.List mb="sm">
          <Tabs.Tab value="playbooks">Playbooks</Tabs.Tab>
          <Tabs.Tab value="approvals">Approvals</Tabs.Tab>
          <Tabs.Tab value="runs">Runs</Tabs.Tab>
          <Tabs.Tab value="switches">Kill switches</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="playbooks">
          <PlaybookList />
        </Tabs.Panel>
        <Tabs.Panel value="approvals">
          <Approvals />
        </Tabs.Panel>
        <Tabs.Panel value="runs">
          <Runs />
        </Tabs.Panel>
        <Tabs.Panel value="switches">
          <Switches />
        </Tabs.Panel>
      </Tabs>
      {dialog && (
        <PlaybookEditor
          manner={dialog}
          text=""
          onClose={() => setDialog(null)}
          onSaved={(id) => void navigate({ to: '/playbooks/$id', params: { id } })}
        />
      )}
    </>
  )
}

const playbookColumns: ReadonlyArray<Column<PlaybookRow>> = [
  {
    key: 'title',
    head: 'Playbook',
    wide: true,
    cell: (one) => (
      <>
        <Link to="/playbooks/$id" params={{ id: one.id }} {...rowLink}>
          {one.title}
        </Link>
        <p className="dim small">{one.description}</p>
      </>
    ),
  },
  {
    key: 'state',
    head: 'Starts',
    cell: (one) => (one.enabled ? <Status tone="good">by itself</Status> : <Status>by hand only</Status>),
  },
  {
    key: 'runs',
    head: 'Runs',
    align: 'end',
    from: 'tablet',
    cell: (one) => <span className="num">{one.stats.runs}</span>,
  },
  {
    key: 'contained',
    head: 'Contained',
    align: 'end',
    from: 'tablet',
    cell: (one) => <span className="num">{one.stats.contained}</span>,
  },
  {
    key: 'time',
    head: 'Median time to contain',
    align: 'end',
    from: 'desktop',
    cell: (one) =>
      one.stats.medianTimeToContainSeconds === null ? '-' : duration(one.stats.medianTimeToContainSeconds),
  },
  {
    key: 'version',
    head: 'Version',
    align: 'end',
    from: 'desktop',
    cell: (one) => `${one.version}, ${word(one.source)}`,
  },
]

function PlaybookList() {
  const query = useQuery(ask('playbooks', PlaybooksDocument, {}))
  return (
    <Panel title="Playbooks" flush>
      <Answered query={query} rows={6}>
        {({ playbooks }) =>
          playbooks.edges.length ? (
            <DataTable
              label="Playbooks"
              rows={playbooks.edges.map((edge) => edge.node)}
              columns={playbookColumns}
              rowKey={(one) => one.id}
            />
          ) : (
            <Empty title="No playbooks" icon="playbooks">
              Put files into <code>config/playbooks</code>, or write one here.
            </Empty>
          )
        }
      </Answered>
    </Panel>
  )
}

function Approvals() {
  const waiting = useQuery(ask('approvals', ApprovalsDocument, { state: ['PENDING'] }))
  const decided = useQuery(ask('approvals', ApprovalsDocument, { state: ['APPROVED', 'REJECTED', 'EXPIRED'] }))
  return (
    <div className="columns">
      <Panel title="Waiting for a decision" flush>
        <Answered query={waiting}>
          {({ approvals }) =>
            approvals.edges.length ? (
              <ApprovalList approvals={approvals.edges.map((edge) => edge.node)} />
            ) : (
              <Empty title="Nothing waits for a decision">
                A playbook that wants to do something large asks here first.
              </Empty>
            )
          }
        </Answered>
      </Panel>
      <Panel title="Decided" flush>
        <Answered query={decided}>
          {({ approvals }) =>
            approvals.edges.length ? (
              <ApprovalList approvals={approvals.edges.map((edge) => edge.node)} />
            ) : (
              <Empty title="Nothing was decided yet" />
            )
          }
        </Answered>
      </Panel>
    </div>
  )
}

export const runColumns: ReadonlyArray<Column<RunRow>> = [
  {
    key: 'playbook',
    head: 'Run of',
    wide: true,
    cell: (run) => (
      <>
        <Link to="/runs/$id" params={{ id: run.id }} {...rowLink}>
          {run.playbook.title}
        </Link>
        {run.alert && <p className="dim small">for {run.alert.title}</p>}
      </>
    ),
  },
  { key: 'state', head: 'State', cell: (run) => <StateOf state={run.state} /> },
  { key: 'by', head: 'Started by', from: 'tablet', cell: (run) => run.startedBy },
  {
    key: 'contained',
    head: 'Contained after',
    from: 'desktop',
    align: 'end',
    cell: (run) => (run.timeToContainSeconds === null ? '-' : duration(run.timeToContainSeconds)),
  },
  { key: 'at', head: 'Started', align: 'end', cell: (run) => <Time at={run.startedAt} /> },
]

function Runs() {
  const list = useInfiniteQuery(askPages('runs', RunsDocument, {}, (result) => result.runs.pageInfo))
  const rows = list.data?.pages.flatMap((page) => page.runs.edges.map((edge) => edge.node)) ?? []
  return (
    <Panel title="Runs" flush>
      {list.isPending && <Loading />}
      {list.error && <Failed error={list.error} retry={() => void list.refetch()} />}
      {list.data && rows.length === 0 && (
        <Empty title="Nothing ran yet" icon="play">
          Open an alert and choose a playbook under Respond.
        </Empty>
      )}
      {rows.length > 0 && (
        <DataTable
          label="Runs"
          rows={rows}
          columns={runColumns}
          rowKey={(run) => run.id}
          more={list.hasNextPage ? { load: () => void list.fetchNextPage(), isLoading: list.isFetchingNextPage } : null}
        />
      )}
    </Panel>
  )
}
