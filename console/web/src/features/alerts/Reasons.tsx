import { type Bar, Bars } from '@/ui/Bars'
import { Panel } from '@/ui/Page'
import { word } from '@/ui/words'
import type { AlertData } from './AlertPage'

/** Why the score is what it is: the parts that add up to it. */
export function Reasons({ alert }: { alert: AlertData }) {
  const bars: Bar[] = alert.scoreParts.map((part, index) => ({
    key: `${index}`,
    label: part.reason,
    value: part.points,
    detail: part.detector ? word(part.detector) : undefined,
  }))
  return (
    <Panel title="Why this score" aside="Parts add up to the score">
      {bars.length ? <Bars bars={bars} total={alert.score} /> : <p className="dim">The signals below say why.</p>}
    </Panel>
  )
}
