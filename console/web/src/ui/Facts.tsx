import type { ReactNode } from 'react'
import classes from './Facts.module.css'

/** Names and values in two columns. What is null is left out. */
export function Facts({ facts }: { facts: ReadonlyArray<readonly [name: string, value: ReactNode]> }) {
  return (
    <dl className={classes.facts}>
      {facts.map(([name, value]) =>
        value === null || value === undefined ? null : (
          <div key={name} className={classes.fact}>
            <dt>{name}</dt>
            <dd className="wrap">{value}</dd>
          </div>
        ),
      )}
    </dl>
  )
}

/** Evidence as it was seen: names and values, nested as deep as they are, long lists cut. */
export function Evidence({ value }: { value: unknown }) {
  return <div className={classes.evidence}>{shown(value, 0)}</div>
}

const LIST_MAX = 12
const DEPTH_MAX = 5

function shown(value: unknown, depth: number): ReactNode {
  if (value === null || value === undefined) return <span className="dim">none</span>
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value !== 'object')
    return <span className={typeof value === 'number' ? 'num' : 'wrap'}>{String(value)}</span>
  if (depth >= DEPTH_MAX) return <code className="wrap">{JSON.stringify(value)}</code>
  if (Array.isArray(value)) return list(value, depth)
  const entries = Object.entries(value)
  if (entries.length === 0) return <span className="dim">none</span>
  return (
    <dl className={classes.tree}>
      {entries.map(([name, inner]) => (
        <div key={name} className={isFlat(inner) ? classes.flat : undefined}>
          <dt>{name.replaceAll('_', ' ')}</dt>
          <dd>{shown(inner, depth + 1)}</dd>
        </div>
      ))}
    </dl>
  )
}

function list(values: unknown[], depth: number): ReactNode {
  if (values.length === 0) return <span className="dim">none</span>
  const head = values.slice(0, LIST_MAX)
  const rest = values.length - head.length
  if (head.every((one) => typeof one !== 'object' || one === null)) {
    return <span className="wrap">{head.map(String).join(', ') + (rest > 0 ? ` and ${rest} more` : '')}</span>
  }
  return (
    <ul className={classes.tree}>
      {head.map((one, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: evidence does not change
        <li key={index}>{shown(one, depth + 1)}</li>
      ))}
      {rest > 0 && <li className="dim">and {rest} more</li>}
    </ul>
  )
}

function isFlat(value: unknown): boolean {
  return (
    typeof value !== 'object' ||
    value === null ||
    (Array.isArray(value) && value.every((one) => typeof one !== 'object'))
  )
}
