import type { ReactNode } from 'react'
import { points } from '@/ui/words'
import classes from './Waterfall.module.css'

export interface Fall {
  key: string
  label: ReactNode
  /** Points lost here. */
  points: number
}

/** From 100 down to the score: each reason takes its points where the one before left off. */
export function Waterfall({ falls, score }: { falls: readonly Fall[]; score: number }) {
  let left = 100
  const rows = falls.map((fall) => {
    left -= fall.points
    return { ...fall, from: Math.max(left, 0), width: fall.points }
  })
  return (
    <ol className={classes.rows}>
      <Row label="Start" from={0} width={100} value="100" tone="whole" />
      {rows.map((row) => (
        <Row
          key={row.key}
          label={row.label}
          from={row.from}
          width={row.width}
          value={`−${points(row.points)}`}
          tone="lost"
        />
      ))}
      <Row label={<strong>Score</strong>} from={0} width={score} value={points(score)} tone="whole" />
    </ol>
  )
}

interface RowProps {
  label: ReactNode
  from: number
  width: number
  value: string
  tone: 'whole' | 'lost'
}

function Row({ label, from, width, value, tone }: RowProps) {
  return (
    <li>
      <span className="wrap">{label}</span>
      <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        <rect x={from} width={Math.max(width, 0.4)} height="10" data-tone={tone} />
      </svg>
      <span className="num">{value}</span>
    </li>
  )
}
