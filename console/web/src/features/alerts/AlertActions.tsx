import { useState } from 'react'
import { useChange } from '@/api/graphql'
import { useMay, useMe } from '@/features/session/me'
import { Action, RoleNote } from '@/ui/Action'
import { AskDialog } from '@/ui/AskDialog'
import { useKeys } from '@/ui/keys'
import { notifyRefused } from '@/ui/notify'
import classes from './AlertActions.module.css'
import type { AlertData } from './AlertPage'
import { AcknowledgeDocument, AssignDocument, ReopenDocument } from './alerts.gql'
import { AssignDialog, DueDialog, ResolveDialog } from './dialogs'

const TOUCHES = ['alerts', 'alert', 'overview', 'cases'] as const

/** What a person can do with the alert, by button and by key. */
export function AlertActions({ alert }: { alert: AlertData }) {
  const me = useMe()
  const { why } = useMay('TRIAGE')
  const [dialog, setDialog] = useState<'assign' | 'resolve' | 'reopen' | 'due' | null>(null)
  const close = () => setDialog(null)
  const acknowledge = useChange(AcknowledgeDocument, { touches: [...TOUCHES], done: 'Acknowledged' })
  const assign = useChange(AssignDocument, {
    touches: [...TOUCHES],
    done: (result) => `Assigned to ${result.assignAlert.assignee}`,
    onDone: close,
  })
  const reopen = useChange(ReopenDocument, { touches: [...TOUCHES], done: 'Open again', onDone: close })
  const isResolved = alert.status === 'RESOLVED'
  const isMine = Boolean(me && alert.assignee === me.name)
  const notOpen = alert.status === 'OPEN' ? null : isResolved ? 'It is resolved.' : 'It is acknowledged already.'
  const takeOver = () => me && assign.mutate({ id: alert.id, assignee: me.name })
  const guarded =
    (run: () => void, unless: string | null = null) =>
    () => {
      const reason = why ?? unless
      if (reason) notifyRefused(reason)
      else run()
    }
  useKeys('This alert', [
    { keys: 'a', does: 'Acknowledge', run: guarded(() => acknowledge.mutate({ id: alert.id }), notOpen) },
    { keys: 'm', does: 'Assign to me', run: guarded(takeOver) },
    {
      keys: 'r',
      does: isResolved ? 'Reopen' : 'Resolve with a verdict',
      run: guarded(() => setDialog(isResolved ? 'reopen' : 'resolve')),
    },
    { keys: 'c', does: 'Comment', run: () => document.getElementById('comment')?.focus() },
  ])
  return (
    <div className={classes.actions}>
      <div className="row">
        <Action
          needs="TRIAGE"
          unless={notOpen}
          variant={alert.status === 'OPEN' ? 'filled' : 'default'}
          loading={acknowledge.isPending}
          onClick={() => acknowledge.mutate({ id: alert.id })}
        >
          Acknowledge
        </Action>
        <Action
          needs="TRIAGE"
          unless={isMine ? 'It is assigned to you already.' : null}
          loading={assign.isPending}
          onClick={takeOver}
        >
          Assign to me
        </Action>
        <Action needs="TRIAGE" onClick={() => setDialog('assign')}>
          Assign to ...
        </Action>
        <Action needs="TRIAGE" unless={isResolved ? 'It is resolved.' : null} onClick={() => setDialog('due')}>
          Set due time
        </Action>
        {isResolved ? (
          <Action needs="TRIAGE" onClick={() => setDialog('reopen')}>
            Reopen
          </Action>
        ) : (
          <Action needs="TRIAGE" onClick={() => setDialog('resolve')}>
            Resolve
          </Action>
        )}
      </div>
      <RoleNote needs="TRIAGE" />
      {dialog === 'assign' && (
        <AssignDialog
          now={alert.assignee}
          isBusy={assign.isPending}
          onAssign={(assignee) => assign.mutate({ id: alert.id, assignee })}
          onClose={close}
        />
      )}
      {dialog === 'resolve' && <ResolveDialog alertId={alert.id} onClose={close} />}
      {dialog === 'due' && <DueDialog alertId={alert.id} dueAt={alert.dueAt} onClose={close} />}
      {dialog === 'reopen' && (
        <AskDialog
          title="Reopen this alert"
          label="Why?"
          verb="Reopen"
          optional
          isBusy={reopen.isPending}
          onAnswer={(note) => reopen.mutate({ id: alert.id, note: note || null })}
          onClose={close}
        />
      )}
    </div>
  )
}
