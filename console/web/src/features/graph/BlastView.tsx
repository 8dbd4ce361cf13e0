import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { ask } from '@/api/graphql'
import { type Column, DataTable, rowLink } from '@/ui/DataTable'
import { Choice } from '@/ui/Filters'
import { Panel } from '@/ui/Page'
import { RiskScore } from '@/ui/Severity'
import { Answered, Empty } from '@/ui/States'
import { percent, plural, word } from '@/ui/words'
import type { EntityData } from './EntityCard'
import { GraphPicture } from './GraphPicture'
import { BlastRadiusDocument, type BlastRadiusQuery } from './graph.gql'
import classes from './graph.module.css'
import { toGraph } from './model'
import type { Manner } from './NearView'

type Reached = BlastRadiusQuery['blastRadius'][number]

/** More nodes than this make a picture nobody reads; the table has all. */
const PICTURE_MAX = 500

interface BlastProps {
  entity: EntityData
  depth: number
  as: Manner
  onDepth: (depth: 1 | 2 | 3 | 4 | 5 | 6 | undefined) => void
  onOpen: (id: string) => void
}

/** What trouble of this would reach, and how much of it would arrive there. */
export function BlastView({ entity, depth, as, onDepth, onOpen }: BlastProps) {
  const query = useQuery(ask('graph', BlastRadiusDocument, { id: entity.id, depth }))
  const reached = query.data?.blastRadius.length ?? 0
  return (
    <Panel
      title="Blast radius"
      flush
      aside={
        <>
          {plural(reached, 'thing')} within {plural(depth, 'step')}
          <Choice
            label="Steps"
            any="3"
            value={depth === 3 ? undefined : String(depth)}
            options={['1', '2', '4', '5', '6'].map((value) => ({ value, label: `${value} steps` }))}
            onChange={(next) => onDepth(next ? (Number(next) as 1) : undefined)}
          />
        </>
      }
    >
      <Answered query={query}>
        {({ blastRadius }) =>
          blastRadius.length === 0 ? (
            <Empty title="Its trouble would reach nothing else" icon="shield" />
          ) : as === 'picture' ? (
            <BlastPicture entity={entity} reached={blastRadius} onOpen={onOpen} />
          ) : (
            <DataTable label="Reached" rows={blastRadius} columns={columns(onOpen)} rowKey={(one) => one.entity.id} />
          )
        }
      </Answered>
    </Panel>
  )
}

function BlastPicture({
  entity,
  reached,
  onOpen,
}: {
  entity: EntityData
  reached: Reached[]
  onOpen: (id: string) => void
}) {
  const { nodes, links } = useMemo(() => {
    const near = reached.slice(0, PICTURE_MAX)
    const risks = new Map(near.map((one) => [one.entity.id, one.entity]))
    const graph = toGraph(
      near.flatMap((one) => one.path),
      entity,
    )
    return {
      links: graph.links,
      nodes: graph.nodes.map((node) => ({ ...node, level: node.level ?? risks.get(node.id)?.risk.level })),
    }
  }, [reached, entity])
  return <GraphPicture nodes={nodes} links={links} middle={entity.id} onOpen={onOpen} />
}

function columns(onOpen: (id: string) => void): ReadonlyArray<Column<Reached>> {
  return [
    {
      key: 'exposure',
      head: 'Arrives',
      align: 'end',
      cell: (one) => <span className="num">{percent(one.exposure)}</span>,
    },
    {
      key: 'entity',
      head: 'Reached',
      wide: true,
      cell: (one) => (
        <button type="button" className={classes.link} onClick={() => onOpen(one.entity.id)} {...rowLink}>
          {one.entity.name}
        </button>
      ),
    },
    { key: 'kind', head: 'Kind', from: 'tablet', cell: (one) => <span className="dim">{word(one.entity.kind)}</span> },
    { key: 'distance', head: 'Steps', align: 'end', cell: (one) => <span className="num">{one.distance}</span> },
    {
      key: 'by',
      head: 'By way of',
      from: 'desktop',
      cell: (one) => <span className="dim small">{one.path.map((step) => word(step.kind)).join(', ')}</span>,
    },
    {
      key: 'risk',
      head: 'Risk now',
      from: 'tablet',
      cell: (one) => <RiskScore score={one.entity.risk.score} level={one.entity.risk.level} />,
    },
  ]
}
