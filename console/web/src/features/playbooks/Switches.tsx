import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, useChange } from '@/api/graphql'
import { Action } from '@/ui/Action'
import { AskDialog } from '@/ui/AskDialog'
import { Panel } from '@/ui/Page'
import { Answered, Empty } from '@/ui/States'
import { Status } from '@/ui/Status'
import { Time } from '@/ui/Time'
import { KillSwitchesDocument, type KillSwitchesQuery, SetKillSwitchDocument } from './playbooks.gql'

type Switch = KillSwitchesQuery['killSwitches'][number]

/** Stops for all actions, or for one kind of action. */
export function Switches() {
  const query = useQuery(ask('playbooks', KillSwitchesDocument, {}))
  const [asked, setAsked] = useState<Switch | null>(null)
  const set = useChange(SetKillSwitchDocument, {
    touches: ['playbooks', 'runs'],
    done: (result) => (result.setKillSwitch.on ? 'Stopped' : 'May run again'),
    onDone: () => setAsked(null),
  })
  return (
    <Panel title="Kill switches" flush aside="A switch that is on stops its action at once, in every run">
      <Answered query={query}>
        {({ killSwitches }) =>
          killSwitches.length ? (
            <ul className="rows">
              {killSwitches.map((one) => (
                <li key={one.action ?? 'all'} className="row">
                  <span className="grow">
                    <strong>{one.action ?? 'All actions'}</strong>{' '}
                    <span className="dim small">
                      {one.by && `${one.on ? 'stopped' : 'released'} by ${one.by}`} {one.at && <Time at={one.at} />}
                      {one.reason && `: ${one.reason}`}
                    </span>
                  </span>
                  <Status tone={one.on ? 'bad' : 'good'}>{one.on ? 'stopped' : 'may run'}</Status>
                  <Action needs="ADMINISTER" onClick={() => setAsked(one)}>
                    {one.on ? 'Release' : 'Stop'}
                  </Action>
                </li>
              ))}
            </ul>
          ) : (
            <Empty title="No actions are known" />
          )
        }
      </Answered>
      {asked && (
        <AskDialog
          title={`${asked.on ? 'Release' : 'Stop'} ${asked.action ?? 'all actions'}`}
          label="Why?"
          verb={asked.on ? 'Release' : 'Stop'}
          danger={!asked.on}
          isBusy={set.isPending}
          onAnswer={(reason) => set.mutate({ action: asked.action, on: !asked.on, reason })}
          onClose={() => setAsked(null)}
        />
      )}
    </Panel>
  )
}
