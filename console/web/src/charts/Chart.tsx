import { Skeleton, useComputedColorScheme } from '@mantine/core'
import type { EChartsType } from 'echarts/core'
import type { ECBasicOption } from 'echarts/types/dist/shared'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import classes from './Chart.module.css'
import { type ChartColors, readColors } from './colors'

interface ChartProps {
  /** What the chart says, in a sentence: for those who do not see it. */
  label: string
  /** The library's options, made with the colours of the scheme. */
  option: (colors: ChartColors) => ECBasicOption
  height?: number
  /** The same as a table or text, folded under the chart. */
  table?: ReactNode
}

/** A chart on a canvas. The library comes on its own, after the page. */
export function Chart({ label, option, height = 220, table }: ChartProps) {
  const frame = useRef<HTMLDivElement>(null)
  const chart = useRef<EChartsType>(null)
  const [isReady, setReady] = useState(false)
  const scheme = useComputedColorScheme('light')
  useEffect(() => {
    let isGone = false
    const observer = new ResizeObserver(() => chart.current?.resize())
    void import('./echarts').then(({ init }) => {
      if (isGone || !frame.current) return
      chart.current = init(frame.current)
      observer.observe(frame.current)
      setReady(true)
    })
    return () => {
      isGone = true
      observer.disconnect()
      chart.current?.dispose()
      chart.current = null
      setReady(false)
    }
  }, [])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the scheme changes the colours that are read
  useEffect(() => {
    if (isReady) chart.current?.setOption(option(readColors()), true)
  }, [isReady, option, scheme])
  return (
    <figure className={classes.figure}>
      {!isReady && <Skeleton className={classes.waiting} />}
      <div className={classes.frame} data-height={height} role="img" aria-label={label} ref={frame} />
      {table && (
        <details className="small">
          <summary>The same as a table</summary>
          <div className={classes.table}>{table}</div>
        </details>
      )}
    </figure>
  )
}
