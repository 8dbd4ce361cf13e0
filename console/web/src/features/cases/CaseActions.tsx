import { NativeSelect, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { ask, useChange } from '@/api/graphql'
import { useMe } from '@/features/session/me'
import { Action, RoleNote } from '@/ui/Action'
import { FormDialog } from '@/ui/FormDialog'
import type { CaseData } from './CasePage'
import { CasesDocument, MergeCasesDocument, UnmergeCaseDocument, UpdateCaseDocument } from './cases.gql'

/** What a person can do with the case. */
export function CaseActions({ data }: { data: CaseData }) {
  const me = useMe()
  const [dialog, setDialog] = useState<'rename' | 'merge' | null>(null)
  const close = () => setDialog(null)
  const update = useChange(UpdateCaseDocument, { touches: ['cases'], done: 'Saved', onDone: close })
  const unmerge = useChange(UnmergeCaseDocument, { touches: ['cases', 'alert'], done: 'Its alerts are its own again' })
  const isClosed = data.status === 'CLOSED'
  const merged = data.mergedInto ? `It is merged into ${data.mergedInto.title}.` : null
  return (
    <div className="stack tight">
      <div className="row">
        <Action
          needs="TRIAGE"
          unless={merged ?? (data.assignee === me?.name ? 'It is yours already.' : null)}
          onClick={() => update.mutate({ id: data.id, input: { assignee: me?.name } })}
        >
          Assign to me
        </Action>
        <Action
          needs="TRIAGE"
          unless={merged}
          onClick={() => update.mutate({ id: data.id, input: { status: isClosed ? 'OPEN' : 'CLOSED' } })}
        >
          {isClosed ? 'Open again' : 'Close case'}
        </Action>
        <Action needs="TRIAGE" onClick={() => setDialog('rename')}>
          Rename
        </Action>
        {data.mergedInto ? (
          <Action needs="TRIAGE" loading={unmerge.isPending} onClick={() => unmerge.mutate({ id: data.id })}>
            Unmerge
          </Action>
        ) : (
          <Action needs="TRIAGE" onClick={() => setDialog('merge')}>
            Merge into ...
          </Action>
        )}
      </div>
      <RoleNote needs="TRIAGE" />
      {dialog === 'rename' && (
        <RenameDialog
          title={data.title}
          isBusy={update.isPending}
          onSave={(title) => update.mutate({ id: data.id, input: { title } })}
          onClose={close}
        />
      )}
      {dialog === 'merge' && <MergeDialog from={data.id} onClose={close} />}
    </div>
  )
}

function RenameDialog({
  title,
  isBusy,
  onSave,
  onClose,
}: {
  title: string
  isBusy: boolean
  onSave: (title: string) => void
  onClose: () => void
}) {
  const [text, setText] = useState(title)
  return (
    <FormDialog
      title="Rename this case"
      verb="Save"
      isBusy={isBusy}
      isReady={text.trim() !== ''}
      onClose={onClose}
      onSubmit={() => onSave(text.trim())}
    >
      <TextInput data-autofocus label="Title" value={text} onChange={(event) => setText(event.currentTarget.value)} />
    </FormDialog>
  )
}

function MergeDialog({ from, onClose }: { from: string; onClose: () => void }) {
  const navigate = useNavigate()
  const [into, setInto] = useState('')
  const open = useQuery(ask('cases', CasesDocument, { status: 'OPEN' }))
  const choices = (open.data?.cases.edges ?? [])
    .filter(({ node }) => node.id !== from)
    .map(({ node }) => ({ value: node.id, label: node.title }))
  const merge = useChange(MergeCasesDocument, {
    touches: ['cases', 'alert'],
    done: 'Merged',
    onDone: () => void navigate({ to: '/cases/$id', params: { id: into } }),
  })
  return (
    <FormDialog
      title="Merge into another case"
      verb="Merge"
      isBusy={merge.isPending}
      isReady={into !== ''}
      onClose={onClose}
      onSubmit={() => merge.mutate({ from, into })}
    >
      <p>The other case gets all alerts of this one. It can be taken back.</p>
      <NativeSelect
        data-autofocus
        label="Into"
        value={into}
        data={[{ value: '', label: choices.length ? 'Choose a case' : 'No other case is open' }, ...choices]}
        onChange={(event) => setInto(event.currentTarget.value)}
      />
    </FormDialog>
  )
}
