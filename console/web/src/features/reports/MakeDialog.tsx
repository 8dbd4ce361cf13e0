import { NativeSelect } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, useChange } from '@/api/graphql'
import type { ReportKind } from '@/api/schema.gen'
import { FormDialog } from '@/ui/FormDialog'
import { Word } from '@/ui/words'
import { REPORT_KINDS } from './ReportsPage'
import { MakeReportDocument, ReportChoicesDocument } from './reports.gql'

const PERIODS = [
  { value: '7', label: 'The last week' },
  { value: '30', label: 'The last 30 days' },
  { value: '90', label: 'The last 90 days' },
]
const DAY_MS = 86_400_000

/** Makes a report as of now. */
export function MakeDialog({ onClose, onMade }: { onClose: () => void; onMade: (id: string) => void }) {
  const [kind, setKind] = useState<ReportKind>('VENDOR_MANAGER')
  const [vendor, setVendor] = useState('')
  const [days, setDays] = useState('7')
  const choices = useQuery(ask('reports', ReportChoicesDocument, {}))
  const vendors = choices.data?.vendors.edges.map(({ node }) => ({ value: node.id, label: node.name })) ?? []
  const make = useChange(MakeReportDocument, {
    touches: ['reports'],
    done: 'Report made',
    onDone: (result) => onMade(result.makeReport.id),
  })
  const needsVendor = kind === 'VENDOR'
  const submit = () =>
    make.mutate({
      input: {
        kind,
        vendor: needsVendor ? vendor : null,
        since: new Date(Date.now() - Number(days) * DAY_MS).toISOString(),
      },
    })
  return (
    <FormDialog
      title="Make a report"
      verb="Make it"
      isBusy={make.isPending}
      isReady={!needsVendor || vendor !== ''}
      onClose={onClose}
      onSubmit={submit}
    >
      <NativeSelect
        data-autofocus
        label="For whom?"
        value={kind}
        data={REPORT_KINDS.map((value) => ({ value, label: Word(value) }))}
        onChange={(event) => setKind(event.currentTarget.value as ReportKind)}
      />
      {needsVendor && (
        <NativeSelect
          label="Which vendor?"
          value={vendor}
          data={[{ value: '', label: 'Choose' }, ...vendors]}
          onChange={(event) => setVendor(event.currentTarget.value)}
        />
      )}
      <NativeSelect
        label="What changed in"
        value={days}
        data={PERIODS}
        onChange={(event) => setDays(event.currentTarget.value)}
      />
    </FormDialog>
  )
}
