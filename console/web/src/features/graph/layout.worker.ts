// Finds places for the nodes away from the page's own thread.
import Graph from 'graphology'
import forceAtlas2 from 'graphology-layout-forceatlas2'

export interface LayoutJob {
  nodes: string[]
  links: Array<[from: string, to: string]>
}
export type Places = Record<string, { x: number; y: number }>

/** Rounds of moving; more for small graphs, where each is cheap. */
const ROUNDS = { few: 400, many: 160, manyFrom: 300 }

addEventListener('message', ({ data }: MessageEvent<LayoutJob>) => {
  const graph = new Graph({ multi: true })
  // Starts from a spiral, so that the same graph always looks the same.
  for (const [index, id] of data.nodes.entries()) {
    const angle = index * 2.4
    const radius = Math.sqrt(index)
    graph.addNode(id, { x: radius * Math.cos(angle), y: radius * Math.sin(angle) })
  }
  for (const [from, to] of data.links) graph.addEdge(from, to)
  const settings = { ...forceAtlas2.inferSettings(graph), gravity: 1.2, scalingRatio: 8, adjustSizes: false }
  const iterations = data.nodes.length >= ROUNDS.manyFrom ? ROUNDS.many : ROUNDS.few
  postMessage(forceAtlas2(graph, { iterations, settings }) as Places)
})
