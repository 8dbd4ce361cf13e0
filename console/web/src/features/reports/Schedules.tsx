import { Switch } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, useChange } from '@/api/graphql'
import { useMay } from '@/features/session/me'
import { Action } from '@/ui/Action'
import { ConfirmDialog } from '@/ui/ConfirmDialog'
import { type Column, DataTable } from '@/ui/DataTable'
import { Panel } from '@/ui/Page'
import { Answered, Empty } from '@/ui/States'
import { Time } from '@/ui/Time'
import { Word, word } from '@/ui/words'
import classes from './Reports.module.css'
import {
  RemoveReportScheduleDocument,
  ReportSchedulesDocument,
  type ReportSchedulesQuery,
  UpdateReportScheduleDocument,
} from './reports.gql'
import { ScheduleDialog } from './ScheduleDialog'

export type ScheduleRow = ReportSchedulesQuery['reportSchedules']['edges'][number]['node']

/** What is made by the clock, and where it goes. */
export function Schedules({ onOpen }: { onOpen: (reportId: string) => void }) {
  const query = useQuery(ask('reports', ReportSchedulesDocument, {}))
  const [edited, setEdited] = useState<ScheduleRow | 'new' | null>(null)
  const [removed, setRemoved] = useState<ScheduleRow | null>(null)
  const remove = useChange(RemoveReportScheduleDocument, {
    touches: ['reports'],
    done: 'Removed',
    onDone: () => setRemoved(null),
  })
  const columns: ReadonlyArray<Column<ScheduleRow>> = [
    {
      key: 'name',
      head: 'Schedule',
      wide: true,
      cell: (one) => (
        <>
          <strong>{one.name}</strong>
          <p className="dim small">
            {Word(one.kind)}
            {one.vendor && ` (${one.vendor.name})`}, {one.formats.map(word).join(', ')}
            {one.channels.length > 0 && ` to ${one.channels.map((channel) => channel.name).join(', ')}`}
          </p>
        </>
      ),
    },
    {
      key: 'when',
      head: 'When',
      from: 'tablet',
      cell: (one) => (
        <>
          <code>{one.cron}</code> <span className="dim small">{one.timeZone}</span>
        </>
      ),
    },
    {
      key: 'next',
      head: 'Next',
      cell: (one) => (one.enabled && one.nextAt ? <Time at={one.nextAt} /> : <span className="dim">off</span>),
    },
    {
      key: 'last',
      head: 'Last report',
      from: 'desktop',
      cell: (one) =>
        one.lastReport ? (
          <button type="button" className={classes.link} onClick={() => onOpen(one.lastReport?.id ?? '')}>
            {one.lastReport.title}
          </button>
        ) : (
          <span className="dim">none yet</span>
        ),
    },
    {
      key: 'do',
      head: 'On',
      cell: (one) => (
        <span className="row">
          <OnOff schedule={one} />
          <Action needs="ADMINISTER" size="compact-xs" onClick={() => setEdited(one)}>
            Edit
          </Action>
          <Action needs="ADMINISTER" size="compact-xs" onClick={() => setRemoved(one)}>
            Remove
          </Action>
        </span>
      ),
    },
  ]
  return (
    <Panel
      title="Schedules"
      flush
      aside={
        <Action needs="ADMINISTER" onClick={() => setEdited('new')}>
          New schedule
        </Action>
      }
    >
      <Answered query={query}>
        {({ reportSchedules }) =>
          reportSchedules.edges.length ? (
            <DataTable
              label="Schedules"
              rows={reportSchedules.edges.map((edge) => edge.node)}
              columns={columns}
              rowKey={(one) => one.id}
            />
          ) : (
            <Empty title="No schedules yet" icon="clock">
              A schedule makes a report at set times, and sends it to channels. Missed times are caught up once.
            </Empty>
          )
        }
      </Answered>
      {edited && <ScheduleDialog schedule={edited === 'new' ? null : edited} onClose={() => setEdited(null)} />}
      {removed && (
        <ConfirmDialog
          title={`Remove ${removed.name}?`}
          verb="Remove"
          isBusy={remove.isPending}
          onConfirm={() => remove.mutate({ id: removed.id })}
          onClose={() => setRemoved(null)}
        >
          Reports it made stay.
        </ConfirmDialog>
      )}
    </Panel>
  )
}

/** What a schedule is, as the service takes it back. */
export function scheduleInput(one: ScheduleRow) {
  const { name, kind, cron, timeZone, formats, enabled } = one
  return {
    name,
    kind,
    cron,
    timeZone,
    formats,
    enabled,
    vendor: one.vendor?.id ?? null,
    channels: one.channels.map((channel) => channel.id),
  }
}

function OnOff({ schedule }: { schedule: ScheduleRow }) {
  const { why } = useMay('ADMINISTER')
  const update = useChange(UpdateReportScheduleDocument, { touches: ['reports'], done: 'Saved' })
  return (
    <Switch
      aria-label={`${schedule.name} is on`}
      title={why ?? undefined}
      checked={schedule.enabled}
      disabled={why !== null || update.isPending}
      onChange={(event) =>
        update.mutate({ id: schedule.id, input: { ...scheduleInput(schedule), enabled: event.currentTarget.checked } })
      }
    />
  )
}
