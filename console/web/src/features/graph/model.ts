// What the pictures and the tables of the explorer are drawn from.
import type { EntityKind, RelationKind, Severity } from '@/api/schema.gen'

export interface GraphNode {
  id: string
  kind: EntityKind
  name: string
  level?: Severity
}

export interface GraphLink {
  id: string
  kind: RelationKind
  from: GraphNode
  to: GraphNode
}

interface EntityLike {
  id: string
  kind: EntityKind
  name: string
  risk?: { level: Severity }
}

interface RelationLike {
  id: string
  kind: RelationKind
  from: EntityLike
  to: EntityLike
}

const toNode = ({ id, kind, name, risk }: EntityLike): GraphNode => ({ id, kind, name, level: risk?.level })

/** Relations as nodes and links, each once; the middle is there even when nothing leads to it. */
export function toGraph(
  relations: readonly RelationLike[],
  middle?: EntityLike,
): { nodes: GraphNode[]; links: GraphLink[] } {
  const nodes = new Map<string, GraphNode>()
  const keep = (entity: EntityLike): GraphNode => {
    const old = nodes.get(entity.id)
    if (old?.level || (old && !entity.risk)) return old
    const node = toNode(entity)
    nodes.set(entity.id, node)
    return node
  }
  if (middle) keep(middle)
  const links = new Map<string, GraphLink>()
  for (const { id, kind, from, to } of relations) links.set(id, { id, kind, from: keep(from), to: keep(to) })
  return { nodes: [...nodes.values()], links: [...links.values()] }
}
