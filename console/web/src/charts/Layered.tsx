import { type MouseEvent, useMemo } from 'react'
import { word } from '@/ui/words'
import classes from './Layered.module.css'
import { type Alike, BOX, type LayeredEdge, type LayeredNode, layOut, type PlacedNode } from './layered'

interface LayeredProps {
  /** What the picture shows, for those who do not see it. */
  label: string
  nodes: readonly LayeredNode[]
  edges: readonly LayeredEdge[]
  /** What is opened from a box; boxes are not links without it. */
  hrefOf?: (node: LayeredNode) => string | undefined
  /** Opens it without loading the page anew. */
  onOpen?: (node: LayeredNode) => void
  alike?: Alike
  /** What is marked: the id of a node, and how bad. */
  marks?: Record<string, string>
}

/** Characters that fit in a box. */
const LABEL_MAX = 23

/** A small directed graph, drawn in layers from left to right. */
export function Layered({ label, nodes, edges, hrefOf, onOpen, alike, marks = {} }: LayeredProps) {
  const layout = useMemo(() => layOut(nodes, edges, alike), [nodes, edges, alike])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls must be reachable by keyboard
    <section className={classes.frame} aria-label={label} tabIndex={0}>
      <svg width={layout.width} height={layout.height} viewBox={`0 0 ${layout.width} ${layout.height}`}>
        <title>{label}</title>
        <defs>
          <marker
            id="arrow"
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="7"
            markerHeight="7"
            orient="auto-start-reverse"
          >
            <path d="M0 0 8 4 0 8Z" className={classes.head} />
          </marker>
        </defs>
        {layout.edges.map((edge) => (
          <g key={`${edge.from} ${edge.to} ${edge.label}`}>
            <path d={edge.path} className={classes.edge} markerEnd="url(#arrow)" />
            <text x={edge.labelX} y={edge.labelY - 5} textAnchor="middle" className={classes.edgeLabel}>
              {word(edge.label)}
              {edge.count > 1 ? ` ×${edge.count}` : ''}
            </text>
          </g>
        ))}
        {layout.nodes.map((node) => (
          <Box
            key={node.id}
            node={node}
            href={node.members.length === 1 ? hrefOf?.(node) : undefined}
            onOpen={onOpen}
            mark={node.members.map((one) => marks[one.id]).find(Boolean)}
          />
        ))}
      </svg>
    </section>
  )
}

interface BoxProps {
  node: PlacedNode
  href?: string
  onOpen?: (node: LayeredNode) => void
  mark?: string
}

function Box({ node, href, onOpen, mark }: BoxProps) {
  const name = node.members.length > 1 ? `${node.members.length} alike` : node.label
  const body = (
    <g transform={`translate(${node.x} ${node.y})`}>
      <title>{node.members.length > 1 ? node.members.map((one) => one.label).join(', ') : node.label}</title>
      <rect width={BOX.width} height={BOX.height} rx="6" className={classes.box} data-level={mark} />
      <text x="10" y="15" className={classes.kind}>
        {word(node.kind)}
      </text>
      <text x="10" y="31" className={classes.name}>
        {name.length > LABEL_MAX ? `${name.slice(0, LABEL_MAX - 1)}…` : name}
      </text>
    </g>
  )
  if (!href) return body
  const open = (event: MouseEvent) => {
    if (!onOpen || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    onOpen(node)
  }
  return (
    <a href={href} onClick={open}>
      {body}
    </a>
  )
}
