import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ask } from '@/api/graphql'
import { RelationPicture } from '@/charts/RelationPicture'
import { SearchField } from '@/ui/Filters'
import { Panel } from '@/ui/Page'
import { RiskScore } from '@/ui/Severity'
import { Answered, Empty } from '@/ui/States'
import { percent, plural, word } from '@/ui/words'
import type { EntityData } from './EntityCard'
import { EntityNameDocument, PathDocument, SearchEntitiesDocument } from './graph.gql'
import classes from './graph.module.css'
import type { Manner } from './NearView'

interface PathProps {
  from: EntityData
  to: string | undefined
  as: Manner
  onTo: (id: string | undefined) => void
}

/** The shortest way from one thing to another. */
export function PathView({ from, to, as, onTo }: PathProps) {
  const target = useQuery({ ...ask('graph', EntityNameDocument, { id: to ?? '' }), enabled: Boolean(to) })
  return (
    <div className="stack loose">
      <Panel title="To">
        <TargetChoice name={to ? target.data?.entity?.name : undefined} onTo={onTo} />
      </Panel>
      {to && (
        <Path from={from.id} to={to} as={as} title={`From ${from.name} to ${target.data?.entity?.name ?? '...'}`} />
      )}
    </div>
  )
}

function TargetChoice({ name, onTo }: { name: string | undefined; onTo: (id: string | undefined) => void }) {
  const [query, setQuery] = useState('')
  const found = useQuery({ ...ask('graph', SearchEntitiesDocument, { query }), enabled: query.length > 1 })
  const hits = query.length > 1 ? (found.data?.entities.edges ?? []).slice(0, 8) : []
  return (
    <div className="stack">
      {name && (
        <p>
          <strong>{name}</strong>
        </p>
      )}
      <SearchField label={name ? 'Choose another target' : 'Search the target'} value={query} onChange={setQuery} />
      <ul className="stack tight" aria-label="Targets found">
        {hits.map(({ node }) => (
          <li key={node.id} className="row">
            <RiskScore score={node.risk.score} level={node.risk.level} />
            <button
              type="button"
              className={classes.link}
              onClick={() => {
                onTo(node.id)
                setQuery('')
              }}
            >
              {node.name}
            </button>
            <span className="dim small">{word(node.kind)}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}

function Path({ from, to, as, title }: { from: string; to: string; as: Manner; title: string }) {
  const query = useQuery(ask('graph', PathDocument, { from, to }))
  return (
    <Panel title={title} aside={query.data?.path && plural(query.data.path.length, 'step')}>
      <Answered query={query}>
        {({ path }) => {
          if (!path?.length) {
            return (
              <Empty title="No way leads there" icon="graph">
                Not within eight steps. The two have nothing to do with each other as far as is known.
              </Empty>
            )
          }
          if (as === 'picture') return <RelationPicture label={title} relations={path} />
          return (
            <ol className="stack tight">
              {path.map((step) => (
                <li key={step.id} className="wrap">
                  {step.from.name} <strong>{word(step.kind)}</strong> {step.to.name}{' '}
                  <span className="dim small">
                    ({step.source}, {percent(step.confidence)} sure)
                  </span>
                </li>
              ))}
            </ol>
          )
        }}
      </Answered>
    </Panel>
  )
}
