import classes from './Ring.module.css'

const RADIUS = 20
const LENGTH = 2 * Math.PI * RADIUS

interface RingProps {
  /** 0 to 100. */
  value: number
  /** Whose colour it takes: a severity, or `accent`. */
  tone: string
  label: string
  size?: number
}

/** A number from 0 to 100 as a ring. */
export function Ring({ value, tone, label, size = 52 }: RingProps) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 48 48"
      className={classes.ring}
      data-tone={tone}
      role="img"
      aria-label={`${label}: ${Math.round(value)} of 100`}
    >
      <circle cx="24" cy="24" r={RADIUS} className={classes.track} />
      <circle
        cx="24"
        cy="24"
        r={RADIUS}
        className={classes.arc}
        strokeDasharray={`${(value / 100) * LENGTH} ${LENGTH}`}
        transform="rotate(-90 24 24)"
      />
      <text x="24" y="29" textAnchor="middle">
        {Math.round(value)}
      </text>
    </svg>
  )
}
