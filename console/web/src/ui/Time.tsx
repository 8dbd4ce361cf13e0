import { useSyncExternalStore } from 'react'
import { relative } from './words'

/** One clock for all times on the page. */
const TICK_MS = 10_000
let now = Date.now()
const listeners = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined

function subscribe(listener: () => void) {
  listeners.add(listener)
  timer ??= setInterval(() => {
    now = Date.now()
    for (const one of listeners) one()
  }, TICK_MS)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) {
      clearInterval(timer)
      timer = undefined
    }
  }
}

export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now)
}

const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' })
const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})
const day = new Intl.DateTimeFormat(undefined, { day: '2-digit', month: 'short' })

/** A point in time: how long ago, the exact time on hover. */
export function Time({ at }: { at: string }) {
  const ms = Date.parse(at)
  const current = Math.max(useNow(), 0)
  return (
    <time dateTime={at} title={absolute.format(ms)} className="num">
      {relative(ms, current)}
    </time>
  )
}

/** A point in time to compare with others: day and clock. */
export function ClockTime({ at }: { at: string }) {
  const ms = Date.parse(at)
  return (
    <time dateTime={at} title={absolute.format(ms)} className="num">
      {day.format(ms)} {clock.format(ms)}
    </time>
  )
}
