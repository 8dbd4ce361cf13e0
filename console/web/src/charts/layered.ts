// Lays a small directed graph out in layers, from where things start to where they end. Pure: no drawing here.

export interface LayeredNode {
  id: string
  kind: string
  label: string
}

export interface LayeredEdge {
  from: string
  to: string
  label: string
}

export interface PlacedNode extends LayeredNode {
  x: number
  y: number
  /** How many nodes of one kind with the same neighbours it stands for. */
  members: LayeredNode[]
}

export interface PlacedEdge extends LayeredEdge {
  /** From the right edge of one box to the left edge of the other. */
  path: string
  labelX: number
  labelY: number
  count: number
}

export interface Layout {
  nodes: PlacedNode[]
  edges: PlacedEdge[]
  width: number
  height: number
}

export const BOX = { width: 158, height: 40 }
const GAP = { x: 116, y: 16 }
const MARGIN = 8
/** Alike nodes of one layer are drawn as one when there are more. */
const ALIKE_MAX = 2
/** Sweeps that untangle the lines; more change little. */
const SWEEPS = 6

/** Whether nodes of one kind with the same neighbours are drawn as one. */
export type Alike = 'folded' | 'apart'

export function layOut(nodes: readonly LayeredNode[], edges: readonly LayeredEdge[], alike: Alike = 'folded'): Layout {
  const known = new Set(nodes.map((node) => node.id))
  const real = edges.filter((edge) => known.has(edge.from) && known.has(edge.to) && edge.from !== edge.to)
  const folded = fold(nodes, real, alike === 'folded' ? ALIKE_MAX : Number.POSITIVE_INFINITY)
  const layers = ordered(folded.nodes, folded.edges)
  return place(layers, folded.edges)
}

interface Folded {
  nodes: Array<LayeredNode & { members: LayeredNode[] }>
  edges: Array<LayeredEdge & { count: number }>
}

/** Nodes of one kind with the same neighbours become one. */
function fold(nodes: readonly LayeredNode[], edges: readonly LayeredEdge[], alikeMax: number): Folded {
  const ties = new Map<string, string[]>(nodes.map((node) => [node.id, []]))
  for (const { from, to, label } of edges) {
    ties.get(from)?.push(`>${to} ${label}`)
    ties.get(to)?.push(`<${from} ${label}`)
  }
  const alike = new Map<string, LayeredNode[]>()
  for (const node of nodes) {
    const key = `${node.kind}|${[...new Set(ties.get(node.id))].sort().join('|')}`
    alike.set(key, [...(alike.get(key) ?? []), node])
  }
  const standsFor = new Map<string, string>()
  const kept: Folded['nodes'] = []
  for (const group of alike.values()) {
    const isFolded = group.length > alikeMax
    for (const part of isFolded ? [group] : group.map((node) => [node])) {
      const first = part[0]
      if (!first) continue
      kept.push({ ...first, members: part })
      for (const node of part) standsFor.set(node.id, first.id)
    }
  }
  const merged = new Map<string, LayeredEdge & { count: number }>()
  for (const edge of edges) {
    const from = standsFor.get(edge.from) ?? edge.from
    const to = standsFor.get(edge.to) ?? edge.to
    const key = `${from} ${to} ${edge.label}`
    const old = merged.get(key)
    if (old) old.count += 1
    else merged.set(key, { from, to, label: edge.label, count: 1 })
  }
  return { nodes: kept, edges: [...merged.values()] }
}

/** The layer of each node: one behind the furthest of those that lead to it; edges that close a circle are left out. */
function layerOf(ids: readonly string[], edges: readonly LayeredEdge[]): Map<string, number> {
  const out = new Map<string, string[]>(ids.map((id) => [id, []]))
  const incoming = new Map<string, number>(ids.map((id) => [id, 0]))
  for (const { from, to } of edges) {
    out.get(from)?.push(to)
    incoming.set(to, (incoming.get(to) ?? 0) + 1)
  }
  const layer = new Map<string, number>()
  const left = new Set(ids)
  while (left.size > 0) {
    // A node nothing leads to; in a circle, the one the fewest lead to, first as given.
    let next: string | undefined
    for (const id of left) {
      if (next === undefined || (incoming.get(id) ?? 0) < (incoming.get(next) ?? 0)) next = id
      if (incoming.get(next) === 0) break
    }
    if (next === undefined) break
    left.delete(next)
    const own = layer.get(next) ?? 0
    layer.set(next, own)
    for (const to of out.get(next) ?? []) {
      if (!left.has(to)) continue
      incoming.set(to, (incoming.get(to) ?? 1) - 1)
      layer.set(to, Math.max(layer.get(to) ?? 0, own + 1))
    }
  }
  return layer
}

/** Layers with their nodes in an order that crosses few lines: each goes to the middle of its neighbours, by turns. */
function ordered(nodes: Folded['nodes'], edges: Folded['edges']): Folded['nodes'][] {
  const layer = layerOf(
    nodes.map((node) => node.id),
    edges,
  )
  const layers: Folded['nodes'][] = []
  for (const node of nodes) {
    const at = layer.get(node.id) ?? 0
    layers[at] = [...(layers[at] ?? []), node]
  }
  const rank = new Map<string, number>()
  const remember = (row: Folded['nodes']) => {
    for (const [index, node] of row.entries()) rank.set(node.id, index - (row.length - 1) / 2)
  }
  for (const row of layers) remember(row)
  const middle = (id: string) => {
    const near = edges.flatMap((edge) => (edge.from === id ? [edge.to] : edge.to === id ? [edge.from] : []))
    const ranks = near.map((other) => rank.get(other) ?? 0)
    return ranks.length ? ranks.reduce((sum, one) => sum + one, 0) / ranks.length : (rank.get(id) ?? 0)
  }
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const rows = sweep % 2 === 0 ? layers : layers.toReversed()
    for (const row of rows) {
      const middles = new Map(row.map((node) => [node.id, middle(node.id)]))
      row.sort((a, b) => (middles.get(a.id) ?? 0) - (middles.get(b.id) ?? 0))
      remember(row)
    }
  }
  return layers
}

function place(layers: Folded['nodes'][], edges: Folded['edges']): Layout {
  const tallest = Math.max(0, ...layers.map((row) => row.length))
  const height = tallest * (BOX.height + GAP.y) - GAP.y + 2 * MARGIN
  const width = layers.length * (BOX.width + GAP.x) - GAP.x + 2 * MARGIN
  const placed = new Map<string, PlacedNode>()
  for (const [column, row] of layers.entries()) {
    const own = row.length * (BOX.height + GAP.y) - GAP.y
    for (const [index, node] of row.entries()) {
      const x = MARGIN + column * (BOX.width + GAP.x)
      const y = (height - own) / 2 + index * (BOX.height + GAP.y)
      placed.set(node.id, { ...node, x, y })
    }
  }
  return {
    nodes: [...placed.values()],
    edges: edges.flatMap((edge) => drawn(edge, placed)),
    width,
    height: Math.max(height, 0),
  }
}

function drawn(edge: Folded['edges'][number], placed: Map<string, PlacedNode>): PlacedEdge[] {
  const from = placed.get(edge.from)
  const to = placed.get(edge.to)
  if (!from || !to) return []
  const isBack = to.x <= from.x
  const start = { x: isBack ? from.x : from.x + BOX.width, y: from.y + BOX.height / 2 }
  const end = { x: isBack ? to.x + BOX.width : to.x, y: to.y + BOX.height / 2 }
  const bend = Math.max(30, Math.abs(end.x - start.x) / 2) * (isBack ? -1 : 1)
  const path = `M${start.x} ${start.y}C${start.x + bend} ${start.y} ${end.x - bend} ${end.y} ${end.x} ${end.y}`
  return [{ ...edge, path, labelX: (start.x + end.x) / 2, labelY: (start.y + end.y) / 2 }]
}
