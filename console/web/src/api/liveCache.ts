import type { InfiniteData, QueryClient } from '@tanstack/react-query'
import type { AlertRowFragment } from './fragments.gql'
import type { Topic } from './graphql'
import type { AlertChange } from './live'
import type { AlertFilter } from './schema.gen'

/** Lists are asked again at most this often while changes pour in, ms. */
const SETTLE_MS = 900

/** A page of alerts, as the lists of the console hold it. */
export interface AlertPage {
  alerts: { edges: Array<{ node: AlertRowFragment }> }
}
type Cached = AlertPage | InfiniteData<AlertPage>

const SEVERITIES = ['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL']

const waiting = new Map<string, ReturnType<typeof setTimeout>>()

/** Has what is shown of a topic asked again soon; many calls within the time make one request. */
export function settle(cache: QueryClient, topic?: Topic): void {
  const key = topic ?? ''
  if (waiting.has(key)) return
  const run = () => {
    waiting.delete(key)
    void cache.invalidateQueries(topic ? { queryKey: [topic] } : undefined)
  }
  waiting.set(key, setTimeout(run, SETTLE_MS))
}

/** Shows a change at once in every list the alert belongs to, then has the lists asked again. */
export function applyAlertChange(cache: QueryClient, change: AlertChange): void {
  const { alert } = change
  for (const topic of ['alerts', 'overview'] as const) {
    for (const [key, cached] of cache.getQueriesData<Cached>({ queryKey: [topic] })) {
      const filter = (key[2] as { filter?: AlertFilter } | undefined)?.filter ?? {}
      if (cached) cache.setQueryData(key, withAlert(cached, alert, filter))
    }
    settle(cache, topic)
  }
  if (cache.getQueryCache().find({ queryKey: ['alert', 'Alert', { id: alert.id }] })) settle(cache, 'alert')
  if (change.lagged > 0) settle(cache)
}

/** The list with the alert as it is now: changed in place, or on top when it was not there and fits the filter. */
export function withAlert(cached: Cached, alert: AlertRowFragment, filter: AlertFilter): Cached {
  if ('pages' in cached) {
    const isThere = cached.pages.some((page) => page.alerts.edges.some((edge) => edge.node.id === alert.id))
    const pages = cached.pages.map((page, index) =>
      changed(page, alert, isThere ? 'inPlace' : index === 0 && fits(alert, filter) ? 'onTop' : 'inPlace'),
    )
    return { ...cached, pages }
  }
  if (!cached.alerts) return cached
  const isThere = cached.alerts.edges.some((edge) => edge.node.id === alert.id)
  return changed(cached, alert, !isThere && fits(alert, filter) ? 'onTop' : 'inPlace')
}

function changed(page: AlertPage, alert: AlertRowFragment, how: 'inPlace' | 'onTop'): AlertPage {
  const { edges } = page.alerts
  const next =
    how === 'onTop'
      ? [{ cursor: '', node: alert }, ...edges]
      : edges.map((edge) => (edge.node.id === alert.id ? { ...edge, node: { ...edge.node, ...alert } } : edge))
  return { ...page, alerts: { ...page.alerts, edges: next } }
}

/** Whether a new alert belongs in a list; filters only the service can judge say no until the list is asked again. */
export function fits(alert: AlertRowFragment, filter: AlertFilter): boolean {
  const { status, minSeverity, assignee, muted, ...others } = filter
  if (Object.values(others).some((value) => value !== undefined && value !== null)) return false
  if (status?.length && !status.includes(alert.status)) return false
  if (assignee && assignee !== alert.assignee) return false
  if (typeof muted === 'boolean' && muted !== Boolean(alert.muted)) return false
  return !minSeverity || SEVERITIES.indexOf(alert.severity) >= SEVERITIES.indexOf(minSeverity)
}
