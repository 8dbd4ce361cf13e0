import { Link } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'
import { Chart } from '@/charts/Chart'
import { type ChartColors, common, timeAxis, valueAxis } from '@/charts/colors'
import { Waterfall } from '@/charts/Waterfall'
import { Evidence } from '@/ui/Facts'
import { Panel } from '@/ui/Page'
import { Empty } from '@/ui/States'
import { percent, plural, Word } from '@/ui/words'
import classes from './Posture.module.css'
import type { VendorData } from './VendorPage'

/** How the vendor stands and where the points were lost. */
export function Posture({ vendor }: { vendor: VendorData }) {
  const { posture } = vendor
  if (!posture) {
    return (
      <Panel title="Posture">
        <Empty title="Not assessed yet" icon="clock">
          The first assessment is queued when a vendor is added and takes some seconds. Its result appears here by
          itself.
        </Empty>
      </Panel>
    )
  }
  return (
    <div className="columns">
      <div className="stack loose">
        <Panel title="From 100 to the score" aside={`model ${posture.modelVersion}`}>
          {posture.score === null ? (
            <p className="dim">Not rated: only {percent(posture.coverage)} of the checks could be judged.</p>
          ) : (
            <Waterfall
              score={posture.score}
              falls={posture.waterfall.map((part, index) => ({
                key: `${index}`,
                points: part.points,
                label: part.finding ? (
                  <Link
                    to="/vendors/$id"
                    params={{ id: vendor.id }}
                    search={{ tab: 'findings', finding: part.finding.id }}
                  >
                    {part.reason}
                  </Link>
                ) : (
                  part.reason
                ),
              }))}
            />
          )}
        </Panel>
        <History vendor={vendor} />
      </div>
      <div className="stack loose">
        <Panel title="Areas">
          <ul className={classes.factors}>
            {posture.factors.map((factor) => (
              <li key={factor.name}>
                <span>{Word(factor.name)}</span>
                <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
                  {factor.score !== null && (
                    <rect width={factor.score} height="6" rx="1" data-low={factor.score < 60 || undefined} />
                  )}
                </svg>
                <span className="num">
                  {factor.score === null ? <span className="dim">not judged</span> : factor.score.toFixed(0)}
                </span>
                <span className="dim small">
                  weight {factor.weight}
                  {factor.coverage > 0 && factor.coverage < 1 && `, ${percent(factor.coverage)} judged`}
                </span>
              </li>
            ))}
          </ul>
        </Panel>
        <Panel title="Under public standards">
          <Standards compat={posture.compat} />
        </Panel>
      </div>
    </div>
  )
}

function Standards({ compat }: { compat: unknown }) {
  const standards = typeof compat === 'object' && compat !== null ? Object.entries(compat) : []
  if (standards.length === 0) return <p className="dim">None could be judged.</p>
  return (
    <div className="stack tight">
      {standards.map(([name, verdict]) => (
        <details key={name}>
          <summary>
            {Word(name)} <span className="dim">{brief(verdict)}</span>
          </summary>
          <Evidence value={verdict} />
        </details>
      ))}
    </div>
  )
}

function brief(verdict: unknown): string {
  if (typeof verdict !== 'object' || verdict === null)
    return verdict === true ? 'yes' : verdict === false ? 'no' : String(verdict ?? '')
  const { grade, valid } = verdict as { grade?: string; valid?: boolean }
  if (grade) return `grade ${grade}`
  return valid === undefined ? '' : valid ? 'valid' : 'not valid'
}

function History({ vendor }: { vendor: VendorData }) {
  const dots = useMemo(
    () => vendor.postureHistory.map((one) => [one.assessedAt, one.score] as const).toReversed(),
    [vendor.postureHistory],
  )
  const option = useCallback(
    (colors: ChartColors) => ({
      ...common(colors),
      xAxis: timeAxis(colors),
      yAxis: valueAxis(colors, { min: 0, max: 100 }),
      series: [
        {
          name: 'Score',
          type: 'line',
          step: 'end',
          data: dots,
          symbolSize: 7,
          lineStyle: { color: colors.accent },
          itemStyle: { color: colors.accent },
          areaStyle: { color: colors.soft },
        },
      ],
    }),
    [dots],
  )
  return (
    <Panel title="History" aside={plural(dots.length, 'assessment')}>
      {dots.length > 1 ? (
        <Chart label={`Score of ${vendor.name} over time, now ${Math.round(dots.at(-1)?.[1] ?? 0)}`} option={option} />
      ) : (
        <p className="dim">One assessment so far. The line begins with the second.</p>
      )}
    </Panel>
  )
}
