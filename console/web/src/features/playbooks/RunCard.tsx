import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useState } from 'react'
import type { ApprovalRowFragment, RunRowFragment, RunStepRowFragment } from '@/api/fragments.gql'
import { useChange } from '@/api/graphql'
import { Action } from '@/ui/Action'
import { AskDialog } from '@/ui/AskDialog'
import { StateOf } from '@/ui/Status'
import { Time } from '@/ui/Time'
import { duration } from '@/ui/words'
import { ApprovalList } from './ApprovalList'
import { CancelRunDocument, UndoRunDocument } from './playbooks.gql'
import { RunSteps } from './RunSteps'

export interface RunData extends RunRowFragment {
  steps: RunStepRowFragment[]
  approvals: ApprovalRowFragment[]
}

/** One run: where it stands, what it did, what it asks. */
export function RunCard({ run, head }: { run: RunData; head?: ReactNode }) {
  const waiting = run.approvals.filter((one) => one.state === 'PENDING')
  return (
    <article className="stack" aria-label={`Run of ${run.playbook.title}`}>
      {head !== undefined ? (
        head
      ) : (
        <p className="row spread">
          <Link to="/runs/$id" params={{ id: run.id }}>
            <strong>{run.playbook.title}</strong>
          </Link>
          <StateOf state={run.state} />
        </p>
      )}
      <p className="small dim">
        Started by {run.startedBy} <Time at={run.startedAt} />
        {run.timeToContainSeconds !== null && `, contained after ${duration(run.timeToContainSeconds)}`}
        {run.reason && `. ${run.reason}`}
      </p>
      {waiting.length > 0 && <ApprovalList approvals={waiting} />}
      <RunSteps steps={run.steps} />
      <RunActions run={run} />
    </article>
  )
}

const UNDOABLE = ['DONE', 'FAILED', 'CANCELLED']

/** Stop a run, or take its effects back. */
export function RunActions({ run }: { run: RunRowFragment }) {
  const [asked, setAsked] = useState<'cancel' | 'undo' | null>(null)
  const options = { touches: ['runs', 'alert', 'approvals'], onDone: () => setAsked(null) } satisfies Partial<
    Parameters<typeof useChange>[1]
  >
  const cancel = useChange(CancelRunDocument, { ...options, done: 'Run cancelled' })
  const undo = useChange(UndoRunDocument, { ...options, done: 'Its effects are being undone' })
  const isGoing = run.state === 'RUNNING' || run.state === 'WAITING_APPROVAL'
  const canUndo = UNDOABLE.includes(run.state)
  if (!isGoing && !canUndo) return null
  return (
    <div className="row">
      {isGoing && (
        <Action needs="RESPOND" onClick={() => setAsked('cancel')}>
          Cancel run
        </Action>
      )}
      {canUndo && (
        <Action needs="RESPOND" onClick={() => setAsked('undo')}>
          Undo effects
        </Action>
      )}
      {asked && (
        <AskDialog
          title={asked === 'cancel' ? 'Cancel this run' : 'Undo what this run did'}
          label="Why?"
          verb={asked === 'cancel' ? 'Cancel run' : 'Undo'}
          danger
          isBusy={cancel.isPending || undo.isPending}
          onAnswer={(reason) => (asked === 'cancel' ? cancel : undo).mutate({ id: run.id, reason })}
          onClose={() => setAsked(null)}
        >
          <p>
            {asked === 'cancel'
              ? 'Steps that have not begun are not done. What was done stays.'
              : 'Every effect that can be undone is undone, last first.'}
          </p>
        </AskDialog>
      )}
    </div>
  )
}
