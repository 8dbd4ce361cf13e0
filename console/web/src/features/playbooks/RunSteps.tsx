import type { RunStepRowFragment } from '@/api/fragments.gql'
import { Icon, type IconName } from '@/ui/icons'
import { StateOf } from '@/ui/Status'
import { Time } from '@/ui/Time'
import { plural } from '@/ui/words'
import classes from './RunSteps.module.css'

const ICONS: Record<string, IconName> = {
  DONE: 'check',
  RUNNING: 'play',
  FAILED: 'close',
  WAITING: 'clock',
  UNDONE: 'undo',
  UNDOING: 'undo',
}

/** The steps of a run, with what each really did. */
export function RunSteps({ steps }: { steps: readonly RunStepRowFragment[] }) {
  return (
    <ol className={classes.steps} aria-label="Steps">
      {steps.map((step) => (
        <li key={`${step.id} ${step.target ?? ''}`} data-state={step.state}>
          <span className={classes.mark}>
            <Icon name={ICONS[step.state] ?? 'right'} size={12} />
          </span>
          <div className="stack tight">
            <span className="row spread">
              <span className="wrap">
                <strong>{step.title}</strong> {step.target && <span className="dim">{step.target}</span>}
              </span>
              <StateOf state={step.state} />
            </span>
            {step.effect && <span className="wrap">{step.effect}</span>}
            <span className="small dim">
              {step.verified === true && 'Checked: the effect is there. '}
              {step.verified === false && 'Checked: the effect is not there. '}
              {step.attempts > 1 && `${plural(step.attempts, 'attempt')}. `}
              {step.finishedAt && (
                <>
                  Done <Time at={step.finishedAt} />.{' '}
                </>
              )}
              {step.expiresAt && (
                <>
                  Undone by itself <Time at={step.expiresAt} />.
                </>
              )}
            </span>
            {step.error && <span className={classes.error}>{step.error}</span>}
          </div>
        </li>
      ))}
    </ol>
  )
}
