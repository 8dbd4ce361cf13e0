import { NativeSelect, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useChange } from '@/api/graphql'
import type { Verdict } from '@/api/schema.gen'
import { FormDialog } from '@/ui/FormDialog'
import { localInput } from '@/ui/localTime'
import { ResolveDocument, SetDueDocument } from './alerts.gql'

const VERDICTS: ReadonlyArray<{ value: Verdict; label: string }> = [
  { value: 'TRUE_POSITIVE', label: 'True positive: it was an attack or a real risk' },
  { value: 'FALSE_POSITIVE', label: 'False positive: it was not what it says' },
  { value: 'BENIGN', label: 'Benign: it happened, and it is fine' },
  { value: 'DUPLICATE', label: 'Duplicate: another alert tells the same' },
  { value: 'INSUFFICIENT_DATA', label: 'Cannot be told from what is known' },
]

/** Closes an alert with what it really was; similar alerts of later days show the verdict. */
export function ResolveDialog({ alertId, onClose }: { alertId: string; onClose: () => void }) {
  const [verdict, setVerdict] = useState<Verdict>('TRUE_POSITIVE')
  const [note, setNote] = useState('')
  const resolve = useChange(ResolveDocument, {
    touches: ['alerts', 'alert', 'overview', 'cases'],
    done: 'Resolved',
    onDone: onClose,
  })
  return (
    <FormDialog
      title="Resolve this alert"
      verb="Resolve"
      isBusy={resolve.isPending}
      onClose={onClose}
      onSubmit={() => resolve.mutate({ id: alertId, verdict, note: note.trim() || null })}
    >
      <NativeSelect
        data-autofocus
        label="What was it really?"
        value={verdict}
        data={[...VERDICTS]}
        onChange={(event) => setVerdict(event.currentTarget.value as Verdict)}
      />
      <Textarea
        label="Why do you think so?"
        description="The next person with such an alert reads this."
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
    </FormDialog>
  )
}

interface AssignProps {
  now: string | null
  isBusy: boolean
  onAssign: (assignee: string) => void
  onClose: () => void
}

export function AssignDialog({ now, isBusy, onAssign, onClose }: AssignProps) {
  const [name, setName] = useState(now ?? '')
  return (
    <FormDialog
      title="Assign this alert"
      verb="Assign"
      isBusy={isBusy}
      isReady={name.trim() !== ''}
      onClose={onClose}
      onSubmit={() => onAssign(name.trim())}
    >
      <TextInput
        data-autofocus
        label="To whom?"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
    </FormDialog>
  )
}

export function DueDialog({ alertId, dueAt, onClose }: { alertId: string; dueAt: string | null; onClose: () => void }) {
  const [at, setAt] = useState(localInput(dueAt ? new Date(dueAt) : new Date(Date.now() + 4 * 3_600_000)))
  const setDue = useChange(SetDueDocument, {
    touches: ['alerts', 'alert', 'overview'],
    done: 'Due time set',
    onDone: onClose,
  })
  return (
    <FormDialog
      title="When must it be dealt with?"
      verb="Set due time"
      isBusy={setDue.isPending}
      isReady={!Number.isNaN(Date.parse(at))}
      onClose={onClose}
      onSubmit={() => setDue.mutate({ id: alertId, dueAt: new Date(at).toISOString() })}
    >
      <TextInput
        data-autofocus
        type="datetime-local"
        label="Due"
        description="Your time zone. When it passes, the alert is overdue and escalates."
        value={at}
        onChange={(event) => setAt(event.currentTarget.value)}
      />
    </FormDialog>
  )
}
