import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import { ask } from '@/api/graphql'
import { Action } from '@/ui/Action'
import { type Column, DataTable, rowLink } from '@/ui/DataTable'
import { Panel } from '@/ui/Page'
import { Answered, Empty } from '@/ui/States'
import { StateOf, Status } from '@/ui/Status'
import { Time } from '@/ui/Time'
import { Word, word } from '@/ui/words'
import { ChannelDialog } from './ChannelDialog'
import { ChannelForm } from './ChannelForm'
import { ChannelsDocument, type ChannelsQuery } from './settings.gql'
import classes from './settings.module.css'

const route = getRouteApi('/settings')

export type ChannelRow = ChannelsQuery['channels']['edges'][number]['node']

/** Where alerts and reports are sent. */
export function Channels() {
  const query = useQuery(ask('channels', ChannelsDocument, {}))
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const open = (channel: string | undefined) => void navigate({ search: { ...search, channel }, replace: true })
  const [isNew, setNew] = useState(false)
  const rows = query.data?.channels?.edges.map((edge) => edge.node) ?? []
  const chosen = rows.find((one) => one.id === search.channel)
  const columns: ReadonlyArray<Column<ChannelRow>> = [
    {
      key: 'name',
      head: 'Channel',
      wide: true,
      cell: (one) => (
        <>
          <button type="button" className={classes.link} onClick={() => open(one.id)} {...rowLink}>
            {one.name}
          </button>
          <p className="dim small wrap">{one.target}</p>
        </>
      ),
    },
    { key: 'kind', head: 'Kind', cell: (one) => Word(one.kind) },
    {
      key: 'wants',
      head: 'Wants',
      from: 'desktop',
      wrap: true,
      cell: (one) => <span className="dim small">{wants(one)}</span>,
    },
    {
      key: 'status',
      head: 'Status',
      cell: (one) => (
        <span title={one.disabledReason ?? undefined}>
          <StateOf state={one.status} />
        </span>
      ),
    },
    {
      key: 'queue',
      head: 'Waiting',
      from: 'tablet',
      align: 'end',
      cell: (one) => <span className="num">{one.waiting}</span>,
    },
    {
      key: 'dead',
      head: 'Given up',
      from: 'tablet',
      align: 'end',
      cell: (one) => (one.dead ? <Status tone="bad">{one.dead}</Status> : <span className="num">0</span>),
    },
    {
      key: 'last',
      head: 'Last delivered',
      from: 'tablet',
      align: 'end',
      cell: (one) => (one.lastDeliveredAt ? <Time at={one.lastDeliveredAt} /> : <span className="dim">never</span>),
    },
  ]
  return (
    <Panel
      title="Channels"
      flush
      aside={
        <Action needs="ADMINISTER" onClick={() => setNew(true)}>
          New channel
        </Action>
      }
    >
      <Answered query={query}>
        {() =>
          rows.length ? (
            <DataTable label="Channels" rows={rows} columns={columns} rowKey={(one) => one.id} />
          ) : (
            <Empty title="Alerts go nowhere yet" icon="link">
              A channel sends them to a webhook, a mailbox, Slack, Teams, PagerDuty, Splunk or a file.
            </Empty>
          )
        }
      </Answered>
      {isNew && <ChannelForm channel={null} onClose={() => setNew(false)} />}
      {chosen && <ChannelDialog channel={chosen} onClose={() => open(undefined)} />}
    </Panel>
  )
}

/** The filter of a channel in words. */
export function wants({ filter }: ChannelRow): string {
  const parts = [
    filter.minSeverity && filter.minSeverity !== 'INFO' ? `${word(filter.minSeverity)} and worse` : 'every severity',
    filter.changes.length ? filter.changes.map(word).join(', ') : null,
    filter.detectors.length ? `by ${filter.detectors.map(word).join(', ')}` : null,
    filter.techniques.length ? filter.techniques.join(', ') : null,
    filter.vendor && `about ${filter.vendor.name}`,
    filter.entity && `about ${filter.entity.name}`,
    filter.includeMuted ? 'muted too' : null,
  ]
  return parts.filter(Boolean).join('; ')
}
