import { useMemo } from 'react'
import { type Column, DataTable, rowLink } from '@/ui/DataTable'
import { Panel } from '@/ui/Page'
import { RiskScore } from '@/ui/Severity'
import { Empty } from '@/ui/States'
import { Time } from '@/ui/Time'
import { percent, plural, word } from '@/ui/words'
import type { EntityData } from './EntityCard'
import { GraphPicture } from './GraphPicture'
import classes from './graph.module.css'
import { toGraph } from './model'

export type Manner = 'picture' | 'table'
type Row = EntityData['relations']['edges'][number]['node']

interface NearProps {
  entity: EntityData
  as: Manner
  onOpen: (id: string) => void
}

/** What is one step away, newest first. */
export function NearView({ entity, as, onOpen }: NearProps) {
  const relations = useMemo(() => entity.relations.edges.map((edge) => edge.node), [entity])
  const { nodes, links } = useMemo(() => toGraph(relations, entity), [relations, entity])
  const other = (row: Row) => (row.from.id === entity.id ? row.to : row.from)
  const columns: ReadonlyArray<Column<Row>> = [
    {
      key: 'relation',
      head: 'Relation',
      cell: (row) => (row.from.id === entity.id ? word(row.kind) : `${word(row.kind)} (from there)`),
    },
    {
      key: 'other',
      head: 'Neighbour',
      wide: true,
      cell: (row) => (
        <button type="button" className={classes.link} onClick={() => onOpen(other(row).id)} {...rowLink}>
          {other(row).name}
        </button>
      ),
    },
    { key: 'kind', head: 'Kind', from: 'tablet', cell: (row) => <span className="dim">{word(other(row).kind)}</span> },
    {
      key: 'risk',
      head: 'Risk',
      cell: (row) => <RiskScore score={other(row).risk.score} level={other(row).risk.level} />,
    },
    { key: 'source', head: 'Source', from: 'desktop', cell: (row) => `${row.source}, ${percent(row.confidence)} sure` },
    { key: 'seen', head: 'Last seen', from: 'tablet', align: 'end', cell: (row) => <Time at={row.lastSeen} /> },
  ]
  const aside = `${plural(relations.length, 'relation')}${entity.relations.pageInfo.hasNextPage ? ', the newest' : ''}`
  return (
    <Panel title="Neighbourhood" flush aside={aside}>
      {relations.length === 0 ? (
        <Empty title="It stands alone" icon="graph">
          Nothing in the graph is related to it yet.
        </Empty>
      ) : as === 'picture' ? (
        <GraphPicture nodes={nodes} links={links} middle={entity.id} onOpen={onOpen} />
      ) : (
        <DataTable label="Neighbours" rows={relations} columns={columns} rowKey={(row) => row.id} />
      )}
    </Panel>
  )
}
