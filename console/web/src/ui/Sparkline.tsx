interface SparklineProps {
  /** Oldest first; null is a gap. */
  values: ReadonlyArray<number | null>
  label: string
  width?: number
  height?: number
}

/** The course of a number, small enough for a row. */
export function Sparkline({ values, label, width = 84, height = 20 }: SparklineProps) {
  const known = values.filter((value): value is number => value !== null)
  if (known.length < 2) return <span className="dim small">{known.length ? 'first value' : '-'}</span>
  const low = Math.min(...known)
  const span = Math.max(...known) - low || 1
  const at = (value: number, index: number) =>
    `${((index / (values.length - 1)) * (width - 6) + 3).toFixed(1)},${(height - 3 - ((value - low) / span) * (height - 6)).toFixed(1)}`
  const dots = values.flatMap((value, index) => (value === null ? [] : [at(value, index)]))
  const [endX, endY] = (dots.at(-1) ?? '0,0').split(',')
  return (
    <svg
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`${label}: from ${Math.round(known[0] ?? 0)} to ${Math.round(known.at(-1) ?? 0)}`}
    >
      <polyline points={dots.join(' ')} fill="none" stroke="var(--dim)" strokeWidth="1.4" strokeLinejoin="round" />
      <circle cx={endX} cy={endY} r="2.2" fill="var(--accent)" />
    </svg>
  )
}
