import { NativeSelect, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { ask, useChange } from '@/api/graphql'
import { AddToCaseDocument, CasesDocument, CreateCaseDocument } from '@/features/cases/cases.gql'
import { Action } from '@/ui/Action'
import { FormDialog } from '@/ui/FormDialog'
import { Panel } from '@/ui/Page'
import { StateOf } from '@/ui/Status'
import type { AlertData } from './AlertPage'

/** The cases the alert is in, and the way into one. */
export function CasesOf({ alert }: { alert: AlertData }) {
  const [isAdding, setAdding] = useState(false)
  return (
    <Panel title="Cases">
      <div className="stack">
        {alert.cases.length > 0 ? (
          <ul className="stack tight">
            {alert.cases.map((one) => (
              <li key={one.id} className="row">
                <Link to="/cases/$id" params={{ id: one.id }} className="grow">
                  {one.title}
                </Link>
                <StateOf state={one.status} />
              </li>
            ))}
          </ul>
        ) : (
          <p className="dim">In no case. A case holds alerts that are worked on together.</p>
        )}
        <div>
          <Action needs="TRIAGE" onClick={() => setAdding(true)}>
            Add to a case
          </Action>
        </div>
      </div>
      {isAdding && <AddDialog alert={alert} onClose={() => setAdding(false)} />}
    </Panel>
  )
}

function AddDialog({ alert, onClose }: { alert: AlertData; onClose: () => void }) {
  const [chosen, setChosen] = useState('')
  const [title, setTitle] = useState(alert.title)
  const open = useQuery(ask('cases', CasesDocument, { status: 'OPEN' }))
  const options = { touches: ['alert', 'alerts', 'cases'], onDone: onClose } satisfies Partial<
    Parameters<typeof useChange>[1]
  >
  const create = useChange(CreateCaseDocument, { ...options, done: 'Case opened' })
  const add = useChange(AddToCaseDocument, { ...options, done: 'Added to the case' })
  const choices = (open.data?.cases.edges ?? []).map(({ node }) => ({ value: node.id, label: node.title }))
  const submit = () =>
    chosen
      ? add.mutate({ id: chosen, alerts: [alert.id] })
      : create.mutate({ input: { title: title.trim(), alerts: [alert.id] } })
  return (
    <FormDialog
      title="Add to a case"
      verb={chosen ? 'Add' : 'Open case'}
      isBusy={create.isPending || add.isPending}
      isReady={Boolean(chosen || title.trim())}
      onSubmit={submit}
      onClose={onClose}
    >
      <NativeSelect
        data-autofocus
        label="Case"
        value={chosen}
        data={[{ value: '', label: 'A new case' }, ...choices]}
        onChange={(event) => setChosen(event.currentTarget.value)}
      />
      {!chosen && <TextInput label="Title" value={title} onChange={(event) => setTitle(event.currentTarget.value)} />}
    </FormDialog>
  )
}
