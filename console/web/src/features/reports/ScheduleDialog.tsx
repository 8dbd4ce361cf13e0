import { Checkbox, NativeSelect, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, useChange } from '@/api/graphql'
import type { ReportFormat, ReportKind } from '@/api/schema.gen'
import { FormDialog } from '@/ui/FormDialog'
import { Word, word } from '@/ui/words'
import { REPORT_KINDS } from './ReportsPage'
import { CreateReportScheduleDocument, ReportChoicesDocument, UpdateReportScheduleDocument } from './reports.gql'
import type { ScheduleRow } from './Schedules'

const FORMATS: ReportFormat[] = ['HTML', 'PDF', 'CSV', 'JSON']
const PRESETS = [
  { value: '0 8 * * 1', label: 'Mondays at 8:00' },
  { value: '0 8 * * *', label: 'Every day at 8:00' },
  { value: '0 8 1 * *', label: 'On the first of each month at 8:00' },
  { value: '', label: 'Other: as cron' },
]

/** When a report is made, and where it goes. */
export function ScheduleDialog({ schedule, onClose }: { schedule: ScheduleRow | null; onClose: () => void }) {
  const [name, setName] = useState(schedule?.name ?? '')
  const [kind, setKind] = useState<ReportKind>(schedule?.kind ?? 'VENDOR_MANAGER')
  const [cron, setCron] = useState(schedule?.cron ?? '0 8 * * 1')
  const [timeZone, setTimeZone] = useState(schedule?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone)
  const [formats, setFormats] = useState<string[]>(schedule?.formats ?? ['HTML', 'PDF'])
  const [channels, setChannels] = useState<string[]>(schedule?.channels.map((one) => one.id) ?? [])
  const [vendor, setVendor] = useState(schedule?.vendor?.id ?? '')
  const choices = useQuery(ask('reports', ReportChoicesDocument, {}))
  const create = useChange(CreateReportScheduleDocument, {
    touches: ['reports'],
    done: 'Schedule made',
    onDone: onClose,
  })
  const update = useChange(UpdateReportScheduleDocument, { touches: ['reports'], done: 'Saved', onDone: onClose })
  const input = {
    name: name.trim(),
    kind,
    cron,
    timeZone,
    formats: formats as ReportFormat[],
    channels,
    vendor: kind === 'VENDOR' ? vendor : null,
    enabled: schedule?.enabled ?? true,
  }
  const isReady = input.name !== '' && cron.trim() !== '' && formats.length > 0 && (kind !== 'VENDOR' || vendor !== '')
  const isPreset = PRESETS.some((one) => one.value === cron)
  const allChannels = choices.data?.channels?.edges ?? []
  return (
    <FormDialog
      title={schedule ? `Edit ${schedule.name}` : 'New schedule'}
      verb={schedule ? 'Save' : 'Make schedule'}
      isBusy={create.isPending || update.isPending}
      isReady={isReady}
      onClose={onClose}
      onSubmit={() => (schedule ? update.mutate({ id: schedule.id, input }) : create.mutate({ input }))}
    >
      <TextInput data-autofocus label="Name" value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <NativeSelect
        label="For whom?"
        value={kind}
        data={REPORT_KINDS.map((value) => ({ value, label: Word(value) }))}
        onChange={(event) => setKind(event.currentTarget.value as ReportKind)}
      />
      {kind === 'VENDOR' && (
        <NativeSelect
          label="Which vendor?"
          value={vendor}
          data={[
            { value: '', label: 'Choose' },
            ...(choices.data?.vendors.edges ?? []).map(({ node }) => ({ value: node.id, label: node.name })),
          ]}
          onChange={(event) => setVendor(event.currentTarget.value)}
        />
      )}
      <NativeSelect
        label="When?"
        value={isPreset ? cron : ''}
        data={PRESETS}
        onChange={(event) => setCron(event.currentTarget.value)}
      />
      {!isPreset || cron === '' ? (
        <TextInput
          label="Cron"
          description="Minute, hour, day, month, weekday."
          placeholder="30 7 * * 1-5"
          value={cron}
          onChange={(event) => setCron(event.currentTarget.value)}
        />
      ) : null}
      <TextInput label="Time zone" value={timeZone} onChange={(event) => setTimeZone(event.currentTarget.value)} />
      <Checkbox.Group label="Files" value={formats} onChange={setFormats}>
        <div className="row">
          {FORMATS.map((format) => (
            <Checkbox key={format} value={format} label={word(format)} />
          ))}
        </div>
      </Checkbox.Group>
      {allChannels.length > 0 && (
        <Checkbox.Group label="Send to" value={channels} onChange={setChannels}>
          <div className="row">
            {allChannels.map(({ node }) => (
              <Checkbox key={node.id} value={node.id} label={node.name} />
            ))}
          </div>
        </Checkbox.Group>
      )}
    </FormDialog>
  )
}
