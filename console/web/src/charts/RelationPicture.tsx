import { useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'
import type { RelationRowFragment } from '@/api/fragments.gql'
import { word } from '@/ui/words'
import { Layered } from './Layered'

interface PictureProps {
  label: string
  relations: readonly RelationRowFragment[]
  marks?: Record<string, string>
}

/** Relations as a layered picture, and the same as a list. */
export function RelationPicture({ label, relations, marks }: PictureProps) {
  const navigate = useNavigate()
  const { nodes, edges } = useMemo(() => {
    const all = relations.flatMap((relation) => [relation.from, relation.to])
    return {
      nodes: [
        ...new Map(all.map((entity) => [entity.id, { id: entity.id, kind: entity.kind, label: entity.name }])).values(),
      ],
      edges: relations.map((relation) => ({ from: relation.from.id, to: relation.to.id, label: relation.kind })),
    }
  }, [relations])
  return (
    <div className="stack">
      <Layered
        label={label}
        nodes={nodes}
        edges={edges}
        marks={marks}
        hrefOf={(node) => `/graph?id=${node.id}`}
        onOpen={(node) => void navigate({ to: '/graph', search: { id: node.id } })}
      />
      <details className="small">
        <summary>The same as a list</summary>
        <ol className="stack tight">
          {relations.map((relation) => (
            <li key={relation.id} className="wrap">
              {relation.from.name} <span className="dim">({word(relation.from.kind)})</span>{' '}
              <strong>{word(relation.kind)}</strong> {relation.to.name}{' '}
              <span className="dim">
                ({word(relation.to.kind)}), {relation.source}, confidence {Math.round(relation.confidence * 100)} %
              </span>
            </li>
          ))}
        </ol>
      </details>
    </div>
  )
}
