import { type ReactNode, useEffect, useRef } from 'react'
import type { FindingRowFragment } from '@/api/fragments.gql'
import { Evidence, Facts } from '@/ui/Facts'
import { Icon } from '@/ui/icons'
import { Severity } from '@/ui/Severity'
import { StateOf } from '@/ui/Status'
import { Time } from '@/ui/Time'
import classes from './FindingItem.module.css'

const ORDER = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFO']
const RESULTS = ['FAIL', 'WARN', 'UNKNOWN', 'PASS']

export function worstFirst(a: FindingRowFragment, b: FindingRowFragment): number {
  return (
    ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity) ||
    RESULTS.indexOf(a.result) - RESULTS.indexOf(b.result) ||
    a.check.localeCompare(b.check)
  )
}

interface FindingProps {
  finding: FindingRowFragment
  isOpen: boolean
  actions?: ReactNode
}

/** One finding: what was expected, what was seen, what to do. */
export function FindingItem({ finding, isOpen, actions }: FindingProps) {
  const item = useRef<HTMLDetailsElement>(null)
  useEffect(() => {
    if (!isOpen || !item.current) return
    item.current.open = true
    item.current.scrollIntoView({ block: 'nearest' })
  }, [isOpen])
  const isProblem = finding.result === 'FAIL' || finding.result === 'WARN'
  return (
    <details ref={item} className={classes.item}>
      <summary>
        <span className={classes.turn}>
          <Icon name="right" size={14} />
        </span>
        {isProblem ? <Severity level={finding.severity} /> : <StateOf state={finding.result} />}
        <span className={classes.title}>{finding.title}</span>
        <span className="dim small">{finding.asset.name}</span>
        {isProblem && <StateOf state={finding.result} />}
        {finding.status !== 'OPEN' && <StateOf state={finding.status} />}
      </summary>
      <div className={classes.inner}>
        <div className="stack">
          {finding.recommendation && (
            <div>
              <h3>What to do</h3>
              <p>{finding.recommendation}</p>
            </div>
          )}
          <Facts
            facts={[
              ['Check', finding.check],
              ['Source', finding.reference],
              ['First seen', <Time key="first" at={finding.firstSeen} />],
              ['Last seen', <Time key="last" at={finding.lastSeen} />],
              ['Accepted until', finding.acceptedUntil && <Time at={finding.acceptedUntil} />],
              ['Note', finding.note],
            ]}
          />
          {actions}
        </div>
        <div className="stack tight">
          <h3>What was seen</h3>
          <Evidence value={finding.evidence} />
        </div>
      </div>
    </details>
  )
}
