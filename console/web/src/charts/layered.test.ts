import { describe, expect, test } from 'vitest'
import { type LayeredEdge, type LayeredNode, layOut } from './layered'

const node = (id: string, kind = 'HOST'): LayeredNode => ({ id, kind, label: id })
const edge = (from: string, to: string): LayeredEdge => ({ from, to, label: 'uses' })
const columns = (layout: ReturnType<typeof layOut>) => {
  const xs = [...new Set(layout.nodes.map((one) => one.x))].sort((a, b) => a - b)
  return xs.map((x) =>
    layout.nodes
      .filter((one) => one.x === x)
      .map((one) => one.id)
      .sort()
      .join(','),
  )
}

describe('layers', () => {
  const check = (edges: string[], expected: string[]) => {
    const pairs = edges.map((one) => one.split('>') as [string, string])
    const ids = [...new Set(pairs.flat())]
    expect(
      columns(
        layOut(
          ids.map((id) => node(id, id)),
          pairs.map(([from, to]) => edge(from, to)),
        ),
      ),
    ).toEqual(expected)
  }
  test('a chain is a row', () => check(['a>b', 'b>c'], ['a', 'b', 'c']))
  test('the longest way counts', () => check(['a>b', 'b>c', 'a>c'], ['a', 'b', 'c']))
  test('a circle ends', () => check(['a>b', 'b>c', 'c>a'], ['a', 'b', 'c']))
  test('two starts share a column', () => check(['a>c', 'b>c'], ['a,b', 'c']))
})

test('alike nodes are drawn as one that names them all', () => {
  const users = Array.from({ length: 24 }, (_, n) => node(`u${n}`, 'USER'))
  const layout = layOut(
    [node('ip', 'ADDRESS'), ...users],
    users.map((user) => edge(user.id, 'ip')),
  )
  expect(layout.nodes).toHaveLength(2)
  expect(layout.nodes.find((one) => one.kind === 'USER')?.members).toHaveLength(24)
  expect(layout.edges.map((one) => one.count)).toEqual([24])
})

test('boxes never overlap and stay inside', () => {
  const nodes = Array.from({ length: 40 }, (_, n) => node(`n${n}`, `K${n % 7}`))
  const edges = nodes.flatMap((one, n) => [edge(one.id, `n${(n * 7 + 3) % 40}`), edge(one.id, `n${(n * 3 + 1) % 40}`)])
  const layout = layOut(nodes, edges)
  const seen = new Set<string>()
  for (const { x, y } of layout.nodes) {
    expect(x >= 0 && y >= 0 && x < layout.width && y < layout.height).toBe(true)
    expect(seen.has(`${x} ${y}`)).toBe(false)
    seen.add(`${x} ${y}`)
  }
})

test('edges to what is not there are left out', () => {
  expect(layOut([node('a')], [edge('a', 'gone'), edge('a', 'a')]).edges).toEqual([])
  expect(layOut([], []).nodes).toEqual([])
})
