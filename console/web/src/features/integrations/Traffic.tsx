import { SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useCallback, useMemo } from 'react'
import { ask } from '@/api/graphql'
import { Chart } from '@/charts/Chart'
import { type ChartColors, common, timeAxis, valueAxis } from '@/charts/colors'
import { Panel } from '@/ui/Page'
import { Answered, Empty } from '@/ui/States'
import { ClockTime } from '@/ui/Time'
import { count, percent } from '@/ui/words'
import { IntegrationTrafficDocument, type IntegrationTrafficQuery } from './integrations.gql'

export type Range = 'day' | 'week' | 'month'
type Point = NonNullable<IntegrationTrafficQuery['integration']>['traffic'][number]

const RANGES: Record<Range, { days: number; step: number }> = {
  day: { days: 1, step: 900 },
  week: { days: 7, step: 3_600 },
  month: { days: 30, step: 4 * 3_600 },
}
const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
/** From here on a step is marked as odd. */
const ODD = 0.5

interface TrafficProps {
  integrationId: string
  range: Range
  onRange: (range: Range) => void
}

/** Calls against the band of what is normal for the hour. */
export function Traffic({ integrationId, range, onRange }: TrafficProps) {
  const { days, step } = RANGES[range]
  const since = useMemo(
    () => new Date(Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - days * DAY_MS).toISOString(),
    [days],
  )
  const query = useQuery(ask('integrations', IntegrationTrafficDocument, { id: integrationId, since, step }))
  const control = (
    <SegmentedControl
      aria-label="Time range"
      value={range}
      onChange={(next) => onRange(next as Range)}
      data={[
        { value: 'day', label: 'Day' },
        { value: 'week', label: 'Week' },
        { value: 'month', label: 'Month' },
      ]}
    />
  )
  return (
    <Panel title="Calls against the learned band" aside={control}>
      <Answered query={query} rows={6}>
        {({ integration }) =>
          integration?.traffic.length ? (
            <TrafficChart points={integration.traffic} />
          ) : (
            <Empty title="No calls in this time" icon="integrations">
              Choose a longer one.
            </Empty>
          )
        }
      </Answered>
    </Panel>
  )
}

function TrafficChart({ points }: { points: Point[] }) {
  const odd = points.filter((point) => point.anomaly >= ODD)
  const option = useCallback((colors: ChartColors) => trafficOption(points, colors), [points])
  return (
    <Chart
      height={280}
      label={`Calls over time; ${odd.length} of ${points.length} steps are odd`}
      option={option}
      table={
        odd.length ? (
          <table>
            <caption className="dim">Steps that are odd</caption>
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Calls</th>
                <th scope="col">Normal</th>
                <th scope="col">Records</th>
                <th scope="col">How odd</th>
              </tr>
            </thead>
            <tbody>
              {odd.map((point) => (
                <tr key={point.time}>
                  <td>
                    <ClockTime at={point.time} />
                  </td>
                  <td className="num">{count(point.calls)}</td>
                  <td className="num">
                    {count(point.lower)} to {count(point.upper)}
                  </td>
                  <td className="num">{count(point.records)}</td>
                  <td className="num">{percent(point.anomaly)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        ) : (
          <p className="dim">No step is odd.</p>
        )
      }
    />
  )
}

function trafficOption(points: Point[], colors: ChartColors) {
  const line = (name: string, value: (point: Point) => number, more: object) => ({
    name,
    type: 'line',
    showSymbol: false,
    data: points.map((point) => [point.time, value(point)]),
    ...more,
  })
  const bare = { lineStyle: { opacity: 0 }, stack: 'band', silent: true }
  return {
    ...common(colors),
    xAxis: timeAxis(colors),
    yAxis: valueAxis(colors, { minInterval: 1 }),
    series: [
      line('Normal from', (point) => point.lower, bare),
      line('Width of normal', (point) => point.upper - point.lower, { ...bare, areaStyle: { color: colors.soft } }),
      line('Expected', (point) => point.expected, {
        lineStyle: { color: colors.dim, type: 'dashed', width: 1 },
        itemStyle: { color: colors.dim },
      }),
      line('Calls', (point) => point.calls, {
        lineStyle: { color: colors.accent, width: 1.6 },
        itemStyle: { color: colors.accent },
      }),
      line('Errors', (point) => point.errors, {
        lineStyle: { color: colors.medium, width: 1 },
        itemStyle: { color: colors.medium },
      }),
      {
        name: 'Odd',
        type: 'line',
        lineStyle: { opacity: 0 },
        symbol: 'diamond',
        symbolSize: 9,
        itemStyle: { color: colors.bad },
        data: points.filter((point) => point.anomaly >= ODD).map((point) => [point.time, point.calls]),
      },
    ],
  }
}
