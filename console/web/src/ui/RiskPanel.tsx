import { Link } from '@tanstack/react-router'
import type { RiskPartsFragment } from '@/api/fragments.gql'
import { Bars } from './Bars'
import { Panel } from './Page'
import { points } from './words'

/** Why a risk is as high as it is: the parts that add up to it. */
export function RiskPanel({ risk }: { risk: RiskPartsFragment }) {
  return (
    <Panel title="Why this risk" aside={`own ${points(risk.own)}, from neighbours ${points(risk.propagated)}`}>
      {risk.contributions.length ? (
        <Bars
          total={risk.score}
          bars={risk.contributions.map((part, index) => ({
            key: `${index}`,
            value: part.points,
            label: part.reason,
            detail: part.via && (
              <>
                through{' '}
                <Link to="/graph" search={{ id: part.via.id }}>
                  {part.via.name}
                </Link>
              </>
            ),
          }))}
        />
      ) : (
        <p className="dim">Nothing speaks against it.</p>
      )}
    </Panel>
  )
}
