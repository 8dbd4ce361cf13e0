import type { Severity as Level } from '@/api/schema.gen'
import classes from './Severity.module.css'
import { word } from './words'

/** A shape for each level, so that colour is never alone. */
const SHAPES: Record<Level, string> = {
  CRITICAL: 'M4.5 1h5L13 4.5v5L9.5 13h-5L1 9.5v-5Z',
  HIGH: 'M7 1.2 13.2 12.5H.8Z',
  MEDIUM: 'M7 .8 13.2 7 7 13.2.8 7Z',
  LOW: 'M7 1.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11Zm0 2.4a3.1 3.1 0 1 0 0 6.2 3.1 3.1 0 0 0 0-6.2Z',
  INFO: 'M7 4.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6Z',
}

export function SeverityShape({ level, size = 12 }: { level: Level; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 14 14" className={classes.shape} data-level={level} aria-hidden="true">
      <path d={SHAPES[level]} fillRule="evenodd" />
    </svg>
  )
}

/** How bad: shape, word and colour. */
export function Severity({ level }: { level: Level }) {
  return (
    <span className={classes.mark} data-level={level}>
      <SeverityShape level={level} />
      {word(level)}
    </span>
  )
}

/** A risk from 0 to 100 in the colour and shape of its level. */
export function RiskScore({ score, level }: { score: number; level: Level }) {
  return (
    <span className={classes.mark} data-level={level} title={`${word(level)} risk`}>
      <SeverityShape level={level} />
      <span className="num">{Math.round(score)}</span>
      <span className="hidden-visually">of 100, {word(level)} risk</span>
    </span>
  )
}
