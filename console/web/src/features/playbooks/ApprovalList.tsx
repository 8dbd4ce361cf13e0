import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { ApprovalRowFragment, RunRowFragment } from '@/api/fragments.gql'
import { useChange } from '@/api/graphql'
import { Action } from '@/ui/Action'
import { AskDialog } from '@/ui/AskDialog'
import { Severity } from '@/ui/Severity'
import { StateOf } from '@/ui/Status'
import { Time } from '@/ui/Time'
import { word } from '@/ui/words'
import classes from './ApprovalList.module.css'
import { DecideDocument } from './playbooks.gql'

type Approval = ApprovalRowFragment & { run?: RunRowFragment }

/** Questions that wait for people, with the way to answer them. */
export function ApprovalList({ approvals }: { approvals: readonly Approval[] }) {
  return (
    <ul className={classes.list}>
      {approvals.map((approval) => (
        <li key={approval.id}>
          <ApprovalItem approval={approval} />
        </li>
      ))}
    </ul>
  )
}

function ApprovalItem({ approval }: { approval: Approval }) {
  const [answer, setAnswer] = useState<'approve' | 'reject' | null>(null)
  const decide = useChange(DecideDocument, {
    touches: ['approvals', 'runs', 'alert', 'alerts', 'overview'],
    done: () => (answer === 'approve' ? 'Approved' : 'Rejected'),
    onDone: () => setAnswer(null),
  })
  const isPending = approval.state === 'PENDING'
  const given = approval.decisions.filter((one) => one.approved).length
  const unless = approval.mayDecide ? null : (approval.whyNot ?? 'It is decided.')
  return (
    <div className="stack tight">
      <p className={classes.question}>{approval.question}</p>
      <p className="row small dim">
        {approval.run && (
          <Link to="/runs/$id" params={{ id: approval.run.id }}>
            {approval.run.playbook.title}
          </Link>
        )}
        {approval.run?.alert && (
          <>
            <Severity level={approval.run.alert.severity} />
            <Link to="/alerts/$id" params={{ id: approval.run.alert.id }}>
              {approval.run.alert.title}
            </Link>
          </>
        )}
      </p>
      <p className="small dim">
        {given} of {approval.needed} needed, by {word(approval.role)} or higher.{' '}
        {isPending && (
          <>
            Time runs out <Time at={approval.expiresAt} />; then: {approval.safeDefault}.
          </>
        )}
      </p>
      {approval.decisions.map((one) => (
        <p key={`${one.by} ${one.at}`} className="small">
          <strong>{one.by}</strong> {one.approved ? 'approved' : 'rejected'} <Time at={one.at} />
          {one.note && <span className="dim">: {one.note}</span>}
        </p>
      ))}
      {isPending ? (
        <div className="row">
          <Action needs="APPROVE" unless={unless} variant="filled" onClick={() => setAnswer('approve')}>
            Approve
          </Action>
          <Action needs="APPROVE" unless={unless} onClick={() => setAnswer('reject')}>
            Reject
          </Action>
          {unless && <span className="small dim">{unless}</span>}
        </div>
      ) : (
        <div>
          <StateOf state={approval.state} />
        </div>
      )}
      {answer && (
        <AskDialog
          title={answer === 'approve' ? 'Approve this' : 'Reject this'}
          label="Note"
          verb={answer === 'approve' ? 'Approve' : 'Reject'}
          optional
          danger={answer === 'reject'}
          isBusy={decide.isPending}
          onAnswer={(note) =>
            decide.mutate({ approval: approval.id, approved: answer === 'approve', note: note || null })
          }
          onClose={() => setAnswer(null)}
        >
          <p>{approval.question}</p>
        </AskDialog>
      )}
    </div>
  )
}
