import { useComputedColorScheme } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import { word } from '@/ui/words'
import classes from './graph.module.css'
import type { LayoutJob, Places } from './layout.worker'
import type { GraphLink, GraphNode } from './model'

interface PictureProps {
  nodes: GraphNode[]
  links: GraphLink[]
  /** The node in the middle of attention. */
  middle: string
  onOpen: (id: string) => void
}

const LEVELS = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'] as const

/** The graph on a canvas. The table beside says the same, and is what screen readers get. */
export function GraphPicture({ nodes, links, middle, onOpen }: PictureProps) {
  const frame = useRef<HTMLDivElement>(null)
  const open = useRef(onOpen)
  open.current = onOpen
  const [isBusy, setBusy] = useState(true)
  const scheme = useComputedColorScheme('light')
  // biome-ignore lint/correctness/useExhaustiveDependencies: the scheme changes the colours that are read
  useEffect(() => {
    let end = () => {}
    let isGone = false
    setBusy(true)
    void Promise.all([import('./sigma'), place(nodes, links)]).then(([library, places]) => {
      if (isGone || !frame.current) return
      end = draw(library, frame.current, { nodes, links, middle, places, onOpen: (id) => open.current(id) })
      setBusy(false)
    })
    return () => {
      isGone = true
      end()
    }
  }, [nodes, links, middle, scheme])
  return (
    <>
      <div className={classes.canvas}>
        <div
          ref={frame}
          className={classes.canvas}
          role="img"
          aria-label={`Picture of ${nodes.length} nodes and ${links.length} relations. Choose Table for the same as text.`}
        />
        {isBusy && <span className={classes.busy}>Finding places ...</span>}
      </div>
      <Legend nodes={nodes} />
    </>
  )
}

function Legend({ nodes }: { nodes: GraphNode[] }) {
  const levels = LEVELS.filter((level) => nodes.some((node) => node.level === level))
  return (
    <div className={classes.legend}>
      {levels.map((level) => (
        <span key={level}>
          <svg width="10" height="10" aria-hidden="true">
            <circle cx="5" cy="5" r="5" fill={`var(--${level.toLowerCase()})`} />
          </svg>
          {word(level)} risk
        </span>
      ))}
      <span>Click a node to go there; drag to move; scroll to zoom.</span>
    </div>
  )
}

function place(nodes: GraphNode[], links: GraphLink[]): Promise<Places> {
  const worker = new Worker(new URL('./layout.worker.ts', import.meta.url), { type: 'module' })
  const job: LayoutJob = { nodes: nodes.map((node) => node.id), links: links.map((link) => [link.from.id, link.to.id]) }
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Places>) => {
      worker.terminate()
      resolve(data)
    }
    worker.onerror = reject
    worker.postMessage(job)
  })
}

interface Drawing extends PictureProps {
  places: Places
}

function draw({ Graph, Sigma }: typeof import('./sigma'), frame: HTMLElement, drawing: Drawing): () => void {
  const style = getComputedStyle(document.documentElement)
  const color = (name: string) => style.getPropertyValue(`--${name}`).trim()
  const graph = new Graph({ multi: true })
  for (const node of drawing.nodes) {
    const isMiddle = node.id === drawing.middle
    const level = node.level && node.level !== 'INFO' ? node.level.toLowerCase() : 'line-strong'
    graph.addNode(node.id, {
      ...(drawing.places[node.id] ?? { x: 0, y: 0 }),
      label: `${node.name} (${word(node.kind)})`,
      size: isMiddle ? 13 : 7,
      color: color(level),
      forceLabel: isMiddle,
    })
  }
  for (const link of drawing.links)
    graph.addEdge(link.from.id, link.to.id, {
      label: word(link.kind),
      size: 1.4,
      color: color('line-strong'),
      type: 'arrow',
    })
  const sigma = new Sigma(graph, frame, {
    labelColor: { color: color('text') },
    labelSize: 12,
    labelFont: 'system-ui, sans-serif',
    edgeLabelColor: { color: color('dim') },
    edgeLabelSize: 10,
    renderEdgeLabels: drawing.links.length <= 60,
    labelRenderedSizeThreshold: 5,
    defaultDrawNodeHover: (context, data) => {
      // The library's own hover has a white box in every scheme.
      if (!data.label) return
      context.font = '600 12px system-ui, sans-serif'
      const width = context.measureText(data.label).width
      context.fillStyle = color('raised')
      context.fillRect(data.x + data.size + 2, data.y - 10, width + 10, 20)
      context.fillStyle = color('text')
      context.fillText(data.label, data.x + data.size + 7, data.y + 4)
    },
    allowInvalidContainer: true,
    stagePadding: 60,
  })
  sigma.on('clickNode', ({ node }) => drawing.onOpen(node))
  sigma.on('enterNode', () => {
    frame.style.cursor = 'pointer'
  })
  sigma.on('leaveNode', () => {
    frame.style.cursor = ''
  })
  return () => sigma.kill()
}
