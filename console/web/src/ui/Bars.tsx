import type { ReactNode } from 'react'
import classes from './Bars.module.css'
import { points as said } from './words'

export interface Bar {
  key: string
  label: ReactNode
  value: number
  /** Smaller, under the label. */
  detail?: ReactNode
}

interface BarsProps {
  bars: readonly Bar[]
  unit?: string
  /** Shown under the bars that add up to it. */
  total?: number
  /** Parts are added to something; amounts stand alone. */
  sign?: 'parts' | 'amounts'
}

/** Parts of a whole as bars on one scale, in the order given. */
export function Bars({ bars, unit = 'points', total, sign = 'parts' }: BarsProps) {
  const most = Math.max(...bars.map((bar) => Math.abs(bar.value)), 0.0001)
  return (
    <>
      <ul className={classes.bars}>
        {bars.map((bar) => (
          <li key={bar.key}>
            <div className={classes.line}>
              <span className="wrap">{bar.label}</span>
              <span className="num">
                {sign === 'parts' && (bar.value < 0 ? '−' : '+')}
                {said(Math.abs(bar.value))}
                <span className="hidden-visually"> {unit}</span>
              </span>
            </div>
            <svg className={classes.track} viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
              <rect
                width={Math.max((Math.abs(bar.value) / most) * 100, 0.6)}
                height="4"
                rx="1"
                data-sign={bar.value < 0 ? 'less' : 'more'}
              />
            </svg>
            {bar.detail && <div className={classes.detail}>{bar.detail}</div>}
          </li>
        ))}
      </ul>
      {total !== undefined && (
        <p className={classes.total}>
          <span>Together</span>
          <strong className="num">
            {said(total)} {unit}
          </strong>
        </p>
      )}
    </>
  )
}
