import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, useChange } from '@/api/graphql'
import { Action } from '@/ui/Action'
import { type Column, DataTable } from '@/ui/DataTable'
import { Panel } from '@/ui/Page'
import { Answered, Empty } from '@/ui/States'
import { Status } from '@/ui/Status'
import { Time } from '@/ui/Time'
import { word } from '@/ui/words'
import { SilenceDialog } from './SilenceDialog'
import { ExpireSilenceDocument, SilencesDocument, type SilencesQuery } from './settings.gql'

type Row = SilencesQuery['silences']['edges'][number]['node']

const OPS: Record<string, string> = {
  EQUALS: 'is',
  NOT_EQUALS: 'is not',
  CONTAINS: 'contains',
  AT_LEAST: 'at least',
  AT_MOST: 'at most',
}

/** What is expected and must not call anybody. Silenced alerts are still recorded, scored and searchable. */
export function Silences() {
  const query = useQuery(ask('silences', SilencesDocument, {}))
  const [isNew, setNew] = useState(false)
  const expire = useChange(ExpireSilenceDocument, {
    touches: ['silences', 'alerts', 'overview'],
    done: 'The silence ended',
  })
  const columns: ReadonlyArray<Column<Row>> = [
    {
      key: 'what',
      head: 'Silenced',
      wide: true,
      cell: (one) => (
        <>
          <p>
            {one.matchers.map((matcher) => `${word(matcher.field)} ${OPS[matcher.op]} ${matcher.value}`).join(' and ')}
          </p>
          <p className="dim small">{one.reason}</p>
        </>
      ),
    },
    { key: 'by', head: 'By', from: 'tablet', cell: (one) => one.author },
    {
      key: 'mutes',
      head: 'Alerts',
      align: 'end',
      from: 'tablet',
      cell: (one) => <span className="num">{one.mutes}</span>,
    },
    {
      key: 'state',
      head: 'State',
      cell: (one) => (one.active ? <Status tone="busy">active</Status> : <Status>not active</Status>),
    },
    { key: 'ends', head: 'Ends', align: 'end', cell: (one) => <Time at={one.endsAt} /> },
    {
      key: 'do',
      head: 'End',
      cell: (one) => (
        <Action
          needs="TRIAGE"
          size="compact-xs"
          unless={one.active ? null : 'It is not active.'}
          onClick={() => expire.mutate({ id: one.id })}
        >
          End now
        </Action>
      ),
    },
  ]
  return (
    <Panel
      title="Silences"
      flush
      aside={
        <Action needs="TRIAGE" onClick={() => setNew(true)}>
          New silence
        </Action>
      }
    >
      <Answered query={query}>
        {({ silences }) =>
          silences.edges.length ? (
            <DataTable
              label="Silences"
              rows={silences.edges.map((edge) => edge.node)}
              columns={columns}
              rowKey={(one) => one.id}
            />
          ) : (
            <Empty title="Nothing is silenced" icon="mute">
              Silence what is expected, such as a load test, for as long as it takes.
            </Empty>
          )
        }
      </Answered>
      {isNew && <SilenceDialog onClose={() => setNew(false)} />}
    </Panel>
  )
}
