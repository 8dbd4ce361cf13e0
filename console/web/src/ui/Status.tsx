import type { ReactNode } from 'react'
import classes from './Status.module.css'
import { word } from './words'

export type Tone = 'plain' | 'good' | 'busy' | 'warn' | 'bad'

/** A state in a word on its colour. */
export function Status({ children, tone = 'plain', title }: { children: ReactNode; tone?: Tone; title?: string }) {
  return (
    <span className={classes.status} data-tone={tone} title={title}>
      {children}
    </span>
  )
}

const TONES: Record<string, Tone> = {
  OPEN: 'warn',
  ACKNOWLEDGED: 'busy',
  RESOLVED: 'good',
  CLOSED: 'good',
  ACCEPTED: 'plain',
  DISPUTED: 'plain',
  TRUE_POSITIVE: 'bad',
  WAITING_APPROVAL: 'warn',
  RUNNING: 'busy',
  DONE: 'good',
  FAILED: 'bad',
  REFUSED: 'bad',
  PENDING: 'warn',
  WAITING: 'warn',
  APPROVED: 'good',
  REJECTED: 'bad',
  EXPIRED: 'bad',
  DELIVERED: 'good',
  RETRYING: 'warn',
  DEAD: 'bad',
  ACTIVE: 'good',
  DISABLED: 'bad',
  PASS: 'good',
  WARN: 'warn',
  FAIL: 'bad',
}

/** A value of the schema that is a state. */
export function StateOf({ state }: { state: string }) {
  return <Status tone={TONES[state] ?? 'plain'}>{word(state)}</Status>
}
