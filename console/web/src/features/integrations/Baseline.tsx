import { useCallback, useMemo } from 'react'
import { Chart } from '@/charts/Chart'
import { type ChartColors, common, valueAxis } from '@/charts/colors'
import { type Bar, Bars } from '@/ui/Bars'
import { Panel } from '@/ui/Page'
import { plural } from '@/ui/words'

interface Share {
  name: string
  calls: number
}

interface Rate {
  hour: number
  calls: number
  lower: number
  upper: number
}

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

/** What was learned to be normal: the week, the endpoints, the networks. */
export function Baseline({ baseline }: { baseline: unknown }) {
  const known = useMemo(() => readBaseline(baseline), [baseline])
  const option = useCallback((colors: ChartColors) => weekOption(known.rates, colors), [known])
  return (
    <>
      <Panel title="A normal week" aside={known.hours > 0 && `learned from ${plural(known.hours, 'hour')}`}>
        {known.rates.length ? (
          <Chart label="Calls an hour in a normal week" option={option} height={140} />
        ) : (
          <p className="dim">Not learned yet: this takes some days of calls.</p>
        )}
      </Panel>
      <div className="columns even">
        <Shares title="Endpoints" shares={known.endpoints} />
        <Shares title="Networks and countries" shares={[...known.networks, ...known.countries]} />
      </div>
    </>
  )
}

function Shares({ title, shares }: { title: string; shares: Share[] }) {
  const bars: Bar[] = shares.map((one) => ({
    key: one.name,
    label: <code className="wrap">{one.name}</code>,
    value: one.calls,
  }))
  return (
    <Panel title={title}>
      {bars.length ? <Bars bars={bars} unit="calls" sign="amounts" /> : <p className="dim">None learned yet.</p>}
    </Panel>
  )
}

/** The learned normal is a document of the service; what is missing or odd in it is left out. */
function readBaseline(value: unknown) {
  const all = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  const list = <Item,>(key: string, isItem: (item: Record<string, unknown>) => boolean): Item[] => {
    const items = all[key]
    return Array.isArray(items)
      ? (items.filter((item) => typeof item === 'object' && item !== null && isItem(item)) as Item[])
      : []
  }
  const isShare = (item: Record<string, unknown>) => typeof item.name === 'string' && typeof item.calls === 'number'
  const isRate = (item: Record<string, unknown>) =>
    ['hour', 'calls', 'lower', 'upper'].every((key) => typeof item[key] === 'number')
  return {
    hours: typeof all.hours_learned === 'number' ? all.hours_learned : 0,
    rates: list<Rate>('rates', isRate),
    endpoints: list<Share>('endpoints', isShare),
    networks: list<Share>('networks', isShare),
    countries: list<Share>('countries', isShare),
  }
}

function weekOption(rates: Rate[], colors: ChartColors) {
  const hourOf = (hour: number) => `${DAYS[Math.floor(hour / 24) % 7]} ${String(hour % 24).padStart(2, '0')}:00`
  return {
    ...common(colors),
    xAxis: {
      type: 'category',
      data: rates.map((rate) => hourOf(rate.hour)),
      axisLabel: { color: colors.dim, fontSize: 11, interval: 23, formatter: (text: string) => text.slice(0, 3) },
      axisTick: { show: false },
      axisLine: { lineStyle: { color: colors.line } },
    },
    yAxis: valueAxis(colors, { splitNumber: 3 }),
    series: [
      {
        name: 'Calls',
        type: 'bar',
        barCategoryGap: '20%',
        data: rates.map((rate) => rate.calls),
        itemStyle: { color: colors.accent },
      },
    ],
  }
}
