import { useMemo } from 'react'
import { RelationPicture } from '@/charts/RelationPicture'
import { Panel } from '@/ui/Page'
import { Empty } from '@/ui/States'
import { plural } from '@/ui/words'
import type { AlertData } from './AlertPage'

/** How the things of the alert hang together, drawn and as sentences. */
export function AttackPath({ alert }: { alert: AlertData }) {
  const marks = useMemo(
    () => Object.fromEntries(alert.entities.map((one) => [one.id, one.risk.level])),
    [alert.entities],
  )
  return (
    <Panel title="Attack path" aside={alert.path.length > 0 && plural(alert.path.length, 'relation')}>
      {alert.path.length ? (
        <RelationPicture label="Drawing of the attack path" relations={alert.path} marks={marks} />
      ) : (
        <Empty title="No relations" icon="graph">
          The signals of this alert share no path in the graph. The entities stand on the right.
        </Empty>
      )}
    </Panel>
  )
}
