import { Textarea } from '@mantine/core'
import { useState } from 'react'
import { useChange } from '@/api/graphql'
import { useMay } from '@/features/session/me'
import { Action } from '@/ui/Action'
import { Panel } from '@/ui/Page'
import { Time } from '@/ui/Time'
import type { AlertData } from './AlertPage'
import { CommentAlertDocument } from './alerts.gql'
import classes from './Comments.module.css'

export function Comments({ alert }: { alert: AlertData }) {
  const comment = useChange(CommentAlertDocument, { touches: ['alert'], done: 'Comment added' })
  return (
    <CommentPanel
      comments={alert.comments}
      isBusy={comment.isPending}
      onComment={(text, done) => comment.mutate({ id: alert.id, text }, { onSuccess: done })}
    />
  )
}

interface CommentPanelProps {
  comments: ReadonlyArray<{ time: string; actor: string; text: string }>
  isBusy: boolean
  onComment: (text: string, done: () => void) => void
}

/** What people said, and room to say more. Ctrl+Enter sends. */
export function CommentPanel({ comments, isBusy, onComment }: CommentPanelProps) {
  const { why } = useMay('TRIAGE')
  const [text, setText] = useState('')
  const send = () => onComment(text.trim(), () => setText(''))
  const isReady = text.trim() !== ''
  return (
    <Panel title="Comments">
      <div className="stack">
        {comments.length > 0 && (
          <ul className="stack">
            {comments.map((comment) => (
              <li key={`${comment.time} ${comment.actor}`}>
                <p className="small">
                  <strong>{comment.actor}</strong>{' '}
                  <span className="dim">
                    <Time at={comment.time} />
                  </span>
                </p>
                <p className={classes.text}>{comment.text}</p>
              </li>
            ))}
          </ul>
        )}
        <Textarea
          id="comment"
          aria-label="Comment"
          placeholder={why ?? 'What did you find out?'}
          readOnly={why !== null}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && isReady && !why) send()
            if (event.key === 'Escape') event.currentTarget.blur()
          }}
        />
        <div>
          <Action needs="TRIAGE" unless={isReady ? null : 'Write something first.'} loading={isBusy} onClick={send}>
            Comment
          </Action>
        </div>
      </div>
    </Panel>
  )
}
