import { useQuery } from '@tanstack/react-query'
import { ask } from '@/api/graphql'
import { Icon } from '@/ui/icons'
import { Answered } from '@/ui/States'
import { Status } from '@/ui/Status'
import { duration, money, percent, plural } from '@/ui/words'
import classes from './DryRunView.module.css'
import { DryRunDocument, type DryRunQuery } from './playbooks.gql'

type Preview = DryRunQuery['dryRun']

/** What a playbook would do to exactly which targets; nothing is done by looking. */
export function DryRunView({ playbook, alert }: { playbook: string; alert: string }) {
  const query = useQuery({ ...ask('runs', DryRunDocument, { playbook, alert }), staleTime: 0 })
  return (
    <Answered query={query} rows={4}>
      {({ dryRun }) => (
        <section className={classes.preview} aria-label="Dry run">
          <p className="row">
            <strong>Dry run</strong>
            <Status tone={dryRun.allowed ? 'good' : 'bad'}>{dryRun.allowed ? 'allowed' : 'refused by a rule'}</Status>
          </p>
          <Reach blast={dryRun.blast} />
          <Effects effects={dryRun.effects} />
          <Refusals refusals={dryRun.refusals} />
          {dryRun.approvals.length > 0 && (
            <div className="stack tight">
              <h3>Asks first</h3>
              <ul>
                {dryRun.approvals.map((approval) => (
                  <li key={approval}>{approval}</li>
                ))}
              </ul>
            </div>
          )}
        </section>
      )}
    </Answered>
  )
}

function Reach({ blast }: { blast: Preview['blast'] }) {
  return (
    <p className="small dim">
      Touches {plural(blast.accounts, 'account')}, {percent(blast.trafficShare)} of the traffic,{' '}
      {money(blast.moneyMinor, blast.currency)}.
    </p>
  )
}

function Effects({ effects }: { effects: Preview['effects'] }) {
  if (effects.length === 0) return <p className="dim">It would change nothing.</p>
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reachable by keyboard
    <ul className={classes.effects} aria-label="Effects" tabIndex={0}>
      {effects.map((effect) => (
        <li key={`${effect.step} ${effect.action} ${effect.target}`}>
          <Icon name="play" size={12} />
          <span className="wrap">
            <strong>{effect.target}</strong>: {effect.effect}{' '}
            <span className="dim small">
              {effect.reversible ? 'can be undone' : 'cannot be undone'}
              {effect.expiresInSeconds ? `, ends by itself after ${duration(effect.expiresInSeconds)}` : ''}
            </span>
          </span>
        </li>
      ))}
    </ul>
  )
}

function Refusals({ refusals }: { refusals: Preview['refusals'] }) {
  if (refusals.length === 0) return null
  return (
    <div className="stack tight">
      <h3>Refused</h3>
      <ul className={classes.effects}>
        {refusals.map((refusal) => (
          <li key={`${refusal.step} ${refusal.target} ${refusal.rule}`}>
            <Icon name="lock" size={12} />
            <span className="wrap">
              <strong>{refusal.target}</strong>: {refusal.reason} <span className="dim small">({refusal.rule})</span>
            </span>
          </li>
        ))}
      </ul>
    </div>
  )
}
