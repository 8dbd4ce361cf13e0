import { describe, expect, test } from 'vitest'
import type { AlertRowFragment } from './fragments.gql'
import { type AlertPage, fits, withAlert } from './liveCache'

const alert = (id: string, change: Partial<AlertRowFragment> = {}) =>
  ({ id, severity: 'HIGH', status: 'OPEN', assignee: null, muted: null, title: id, ...change }) as AlertRowFragment
const page = (...ids: string[]): AlertPage => ({ alerts: { edges: ids.map((id) => ({ node: alert(id) })) } })
const ids = (list: AlertPage) => list.alerts.edges.map((edge) => edge.node.id)

describe('a new alert is shown where it belongs', () => {
  test('on top of a list it fits', () => {
    expect(ids(withAlert(page('a'), alert('b'), { status: ['OPEN'] }) as AlertPage)).toEqual(['b', 'a'])
  })
  test('not in a list it does not fit', () => {
    expect(ids(withAlert(page('a'), alert('b', { severity: 'LOW' }), { minSeverity: 'HIGH' }) as AlertPage)).toEqual([
      'a',
    ])
  })
  test('in its place when it is there', () => {
    const list = withAlert(page('a', 'b'), alert('b', { status: 'RESOLVED' }), { status: ['OPEN'] }) as AlertPage
    expect(ids(list)).toEqual(['a', 'b'])
    expect(list.alerts.edges[1]?.node.status).toBe('RESOLVED')
  })
  test('once, on the first of several pages', () => {
    const list = { pages: [page('a'), page('b')], pageParams: [null, 'x'] }
    const next = withAlert(list, alert('c'), {}) as typeof list
    expect(next.pages.map(ids)).toEqual([['c', 'a'], ['b']])
    const again = withAlert(next, alert('b'), {}) as typeof list
    expect(again.pages.map(ids)).toEqual([['c', 'a'], ['b']])
  })
})

test('a filter only the service can judge waits for the service', () => {
  expect(fits(alert('a'), { vendor: 'ven_1' })).toBe(false)
  expect(fits(alert('a'), { query: null, minSeverity: 'HIGH' })).toBe(true)
  expect(fits(alert('a', { muted: { kind: 'STORM', reason: '', until: null } }), { muted: false })).toBe(false)
})
