import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { ask, useChange } from '@/api/graphql'
import { DryRunView } from '@/features/playbooks/DryRunView'
import { StartRunDocument } from '@/features/playbooks/playbooks.gql'
import { RunCard } from '@/features/playbooks/RunCard'
import { Action, RoleNote } from '@/ui/Action'
import { Panel } from '@/ui/Page'
import { Answered } from '@/ui/States'
import { Status } from '@/ui/Status'
import { AlertPlaybooksDocument, type AlertPlaybooksQuery } from './alerts.gql'
import classes from './Respond.module.css'

type Match = NonNullable<AlertPlaybooksQuery['alert']>['playbooks'][number]

/** Containing the alert: what runs, what could run, and exactly what that would do. */
export function Respond({ alertId }: { alertId: string }) {
  const query = useQuery(ask('alert', AlertPlaybooksDocument, { id: alertId }))
  return (
    <Panel title="Respond" aside={<Link to="/playbooks">Playbooks</Link>}>
      <Answered query={query} rows={3}>
        {({ alert }) => {
          // What waits for a person's word goes before what runs by itself.
          const byHandFirst = (a: Match, b: Match) => Number(a.playbook.enabled) - Number(b.playbook.enabled)
          const fitting = alert?.playbooks?.filter((one) => one.matches).sort(byHandFirst) ?? []
          const others = alert?.playbooks?.filter((one) => !one.matches) ?? []
          return (
            <div className="stack loose">
              {alert?.runs?.map((run) => (
                <div key={run.id} className={classes.run}>
                  <RunCard run={run} />
                </div>
              ))}
              {fitting.map((match) => (
                <Playbook key={match.playbook.id} match={match} alertId={alertId} />
              ))}
              {fitting.length === 0 && (
                <p className="dim">No playbook is made for this alert. Follow the advice beside, then resolve it.</p>
              )}
              {others.length > 0 && (
                <details className="small">
                  <summary>{others.length} others do not fit</summary>
                  <ul className="stack tight">
                    {others.map(({ playbook, why }) => (
                      <li key={playbook.id}>
                        <strong>{playbook.title}</strong>: <span className="dim">{why}</span>
                      </li>
                    ))}
                  </ul>
                </details>
              )}
              <RoleNote needs="RESPOND" />
            </div>
          )
        }}
      </Answered>
    </Panel>
  )
}

function Playbook({ match, alertId }: { match: Match; alertId: string }) {
  const { playbook, why } = match
  const [isPreview, setPreview] = useState(false)
  const start = useChange(StartRunDocument, {
    touches: ['alert', 'runs', 'approvals', 'overview'],
    done: 'Playbook started',
    onDone: () => setPreview(false),
  })
  return (
    <article className="stack" aria-label={playbook.title}>
      <div className="stack tight">
        <p className="row">
          <Link to="/playbooks/$id" params={{ id: playbook.id }}>
            <strong>{playbook.title}</strong>
          </Link>
          {!playbook.enabled && <Status title="It runs only when somebody starts it here">by hand only</Status>}
        </p>
        <p className="dim">{playbook.description}</p>
        <p className="small dim">Fits because {why}</p>
      </div>
      <div className="row">
        <Action needs="READ" onClick={() => setPreview(!isPreview)}>
          {isPreview ? 'Hide dry run' : 'Dry run'}
        </Action>
        <Action
          needs="RESPOND"
          variant="filled"
          loading={start.isPending}
          onClick={() => start.mutate({ playbook: playbook.id, alert: alertId })}
        >
          Run playbook
        </Action>
      </div>
      {isPreview && <DryRunView playbook={playbook.id} alert={alertId} />}
    </article>
  )
}
