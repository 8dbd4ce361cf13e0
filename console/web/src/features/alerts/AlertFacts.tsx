import { Link } from '@tanstack/react-router'
import { Facts } from '@/ui/Facts'
import { Panel } from '@/ui/Page'
import { RiskScore } from '@/ui/Severity'
import { ClockTime, Time } from '@/ui/Time'
import { count, duration, word } from '@/ui/words'
import classes from './AlertFacts.module.css'
import type { AlertData } from './AlertPage'

export function AlertFacts({ alert }: { alert: AlertData }) {
  return (
    <Panel title="Facts">
      <Facts
        facts={[
          ['Began', <ClockTime key="began" at={alert.openedAt} />],
          ['Last change', <Time key="changed" at={alert.updatedAt} />],
          ['Found after', alert.detectionDelaySeconds === null ? null : duration(alert.detectionDelaySeconds)],
          ['Contained after', alert.timeToContainSeconds === null ? null : duration(alert.timeToContainSeconds)],
          ['Assignee', alert.assignee ?? <span className="dim">nobody</span>],
          ['Due', alert.dueAt && <Time at={alert.dueAt} />],
          ['Escalation', alert.escalation ? `level ${alert.escalation}` : null],
          ['Verdict', alert.verdict && word(alert.verdict)],
          ['Muted', alert.muted && <MuteReason muted={alert.muted} />],
          ['Signals', count(alert.count)],
        ]}
      />
    </Panel>
  )
}

function MuteReason({ muted }: { muted: NonNullable<AlertData['muted']> }) {
  return (
    <>
      {word(muted.kind)}: {muted.reason}
      {muted.silence && ` (by ${muted.silence.author})`}
      {muted.until && (
        <>
          , ends <Time at={muted.until} />
        </>
      )}
      {muted.by && (
        <>
          {' '}
          <Link to="/alerts/$id" params={{ id: muted.by.id }}>
            {muted.by.title}
          </Link>
        </>
      )}
    </>
  )
}

export function Techniques({ alert }: { alert: AlertData }) {
  if (alert.techniques.length === 0) return null
  return (
    <Panel title="ATT&CK techniques">
      <ul className="stack tight">
        {alert.techniques.map((technique) => (
          <li key={technique.id} className={classes.line}>
            <Link
              to="/alerts"
              search={{ technique: technique.id, status: 'ALL' }}
              className={classes.id}
              title="All alerts with this technique"
            >
              {technique.id}
            </Link>
            <span>
              {technique.name} {technique.tactic && <span className="dim">({technique.tactic})</span>}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  )
}

const ENTITIES_MAX = 10

export function Entities({ alert }: { alert: AlertData }) {
  const shown = alert.entities.slice(0, ENTITIES_MAX)
  const folded = alert.entities.slice(ENTITIES_MAX)
  const missing = alert.entitiesTotal - alert.entities.length
  return (
    <Panel title="Who and what takes part" aside={count(alert.entitiesTotal)}>
      <EntityList entities={shown} />
      {folded.length > 0 && (
        <details>
          <summary className="small">{folded.length} more</summary>
          <EntityList entities={folded} />
          {missing > 0 && <p className="dim small">{count(missing)} others are not listed.</p>}
        </details>
      )}
    </Panel>
  )
}

function EntityList({ entities }: { entities: AlertData['entities'] }) {
  return (
    <ul>
      {entities.map((entity) => (
        <li key={entity.id} className={classes.entity}>
          <span className="dim small">{word(entity.kind)}</span>
          <Link to="/graph" search={{ id: entity.id }} className="cut">
            {entity.name}
          </Link>
          <RiskScore score={entity.risk.score} level={entity.risk.level} />
        </li>
      ))}
    </ul>
  )
}
