import { ActionIcon, Button, NativeSelect, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useChange } from '@/api/graphql'
import type { MatcherInput, MatchField, MatchOp } from '@/api/schema.gen'
import { FormDialog } from '@/ui/FormDialog'
import { Icon } from '@/ui/icons'
import { localInput } from '@/ui/localTime'
import { Word } from '@/ui/words'
import { CreateSilenceDocument } from './settings.gql'
import classes from './settings.module.css'

const FIELDS: MatchField[] = ['DETECTOR', 'TITLE', 'SEVERITY', 'TECHNIQUE', 'ENTITY', 'ENTITY_KIND', 'VENDOR']
const OPS: Array<{ value: MatchOp; label: string }> = [
  { value: 'EQUALS', label: 'is' },
  { value: 'NOT_EQUALS', label: 'is not' },
  { value: 'CONTAINS', label: 'contains' },
  { value: 'AT_LEAST', label: 'is at least' },
  { value: 'AT_MOST', label: 'is at most' },
]
const HOURS_4_MS = 4 * 3_600_000

/** A silence: every line must fit an alert to mute it. */
export function SilenceDialog({ onClose }: { onClose: () => void }) {
  const [matchers, setMatchers] = useState<MatcherInput[]>([{ field: 'DETECTOR', op: 'EQUALS', value: '' }])
  const [reason, setReason] = useState('')
  const [ends, setEnds] = useState(() => localInput(new Date(Date.now() + HOURS_4_MS)))
  const create = useChange(CreateSilenceDocument, {
    touches: ['silences', 'alerts', 'overview'],
    done: 'Silenced',
    onDone: onClose,
  })
  const change = (at: number, part: Partial<MatcherInput>) =>
    setMatchers(matchers.map((one, index) => (index === at ? { ...one, ...part } : one)))
  const isReady =
    reason.trim() !== '' && matchers.every((one) => one.value.trim() !== '') && !Number.isNaN(Date.parse(ends))
  return (
    <FormDialog
      title="New silence"
      verb="Silence"
      isBusy={create.isPending}
      isReady={isReady}
      onClose={onClose}
      onSubmit={() =>
        create.mutate({ input: { matchers, reason: reason.trim(), endsAt: new Date(ends).toISOString() } })
      }
    >
      <p className="dim">Alerts that fit every line call nobody. They are still recorded, scored and searchable.</p>
      {matchers.map((matcher, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines have no identity but their place
        <div key={index} className={classes.matcher}>
          <NativeSelect
            aria-label="Field"
            value={matcher.field}
            data={FIELDS.map((value) => ({ value, label: Word(value) }))}
            onChange={(event) => change(index, { field: event.currentTarget.value as MatchField })}
          />
          <NativeSelect
            aria-label="Comparison"
            value={matcher.op}
            data={OPS}
            onChange={(event) => change(index, { op: event.currentTarget.value as MatchOp })}
          />
          <TextInput
            aria-label="Value"
            placeholder={matcher.field === 'DETECTOR' ? 'credential_stuffing' : ''}
            value={matcher.value}
            onChange={(event) => change(index, { value: event.currentTarget.value })}
          />
          <ActionIcon
            aria-label="Remove this line"
            disabled={matchers.length === 1}
            onClick={() => setMatchers(matchers.filter((_, at) => at !== index))}
          >
            <Icon name="close" size={14} />
          </ActionIcon>
        </div>
      ))}
      <div>
        <Button
          variant="subtle"
          onClick={() => setMatchers([...matchers, { field: 'TITLE', op: 'CONTAINS', value: '' }])}
        >
          And ...
        </Button>
      </div>
      <Textarea label="Why?" value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      <TextInput
        type="datetime-local"
        label="Until"
        value={ends}
        onChange={(event) => setEnds(event.currentTarget.value)}
      />
    </FormDialog>
  )
}
