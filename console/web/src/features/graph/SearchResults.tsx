import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { ask, askPages } from '@/api/graphql'
import type { EntityKind } from '@/api/schema.gen'
import { type Column, DataTable, rowLink } from '@/ui/DataTable'
import { Choice } from '@/ui/Filters'
import { Panel } from '@/ui/Page'
import { RiskScore } from '@/ui/Severity'
import { Answered, Empty, Failed, Loading } from '@/ui/States'
import { Time } from '@/ui/Time'
import { percent, plural, word } from '@/ui/words'
import { ConcentrationDocument, SearchEntitiesDocument, type SearchEntitiesQuery } from './graph.gql'
import classes from './graph.module.css'

type Row = SearchEntitiesQuery['entities']['edges'][number]['node']

const KINDS: EntityKind[] = [
  'VENDOR',
  'DOMAIN',
  'HOST',
  'ADDRESS',
  'NETWORK',
  'SCRIPT',
  'INTEGRATION',
  'API_KEY',
  'ENDPOINT',
  'USER',
  'STAFF',
  'DEVICE',
  'CARD',
  'ORDER',
  'GIFT_CARD',
  'INDICATOR',
]

interface ResultsProps {
  query: string | undefined
  kind: string | undefined
  onKind: (kind: EntityKind | undefined) => void
  onChoose: (id: string) => void
}

/** What is called something like the query; without one, what is riskiest. */
export function SearchResults({ query, kind, onKind, onChoose }: ResultsProps) {
  const known = KINDS.find((one) => one === kind)
  const list = useInfiniteQuery(
    askPages(
      'graph',
      SearchEntitiesDocument,
      { query, kinds: known ? [known] : undefined },
      (result) => result.entities.pageInfo,
    ),
  )
  const rows = list.data?.pages.flatMap((page) => page.entities.edges.map((edge) => edge.node)) ?? []
  const columns: ReadonlyArray<Column<Row>> = [
    { key: 'risk', head: 'Risk', cell: (one) => <RiskScore score={one.risk.score} level={one.risk.level} /> },
    { key: 'kind', head: 'Kind', cell: (one) => <span className="dim">{word(one.kind)}</span> },
    {
      key: 'name',
      head: 'Name',
      wide: true,
      cell: (one) => (
        <button type="button" className={classes.link} onClick={() => onChoose(one.id)} {...rowLink}>
          {one.name}
        </button>
      ),
    },
    { key: 'seen', head: 'Last seen', from: 'tablet', align: 'end', cell: (one) => <Time at={one.lastSeen} /> },
  ]
  return (
    <div className="columns">
      <Panel
        title={query ? `Called something like "${query}"` : 'Riskiest first'}
        flush
        aside={<Choice label="Kind" value={known} options={KINDS} onChange={onKind} />}
      >
        {list.isPending && <Loading rows={8} />}
        {list.error && <Failed error={list.error} retry={() => void list.refetch()} />}
        {list.data && rows.length === 0 && (
          <Empty title="Nothing found" icon="search">
            Misspelling is fine, but the kind must fit. Clear the kind, or try a part of the name.
          </Empty>
        )}
        {rows.length > 0 && (
          <DataTable
            label="Entities"
            rows={rows}
            columns={columns}
            rowKey={(one) => one.id}
            more={
              list.hasNextPage ? { load: () => void list.fetchNextPage(), isLoading: list.isFetchingNextPage } : null
            }
          />
        )}
      </Panel>
      <Concentration onChoose={onChoose} />
    </div>
  )
}

/** Providers many vendors lean on: one outage there is many here. */
function Concentration({ onChoose }: { onChoose: (id: string) => void }) {
  const query = useQuery(ask('graph', ConcentrationDocument, {}))
  return (
    <Panel title="Many vendors depend on" flush>
      <Answered query={query}>
        {({ concentration }) =>
          concentration.length ? (
            <ul className="rows">
              {concentration.map((one) => (
                <li key={one.entity.id} className="row">
                  <button type="button" className={`${classes.link} grow`} onClick={() => onChoose(one.entity.id)}>
                    {one.entity.name}
                  </button>
                  <span className="dim small">
                    {plural(one.vendors, 'vendor')}, {percent(one.share)}
                    {one.criticalVendors > 0 && `, ${one.criticalVendors} critical`}
                  </span>
                </li>
              ))}
            </ul>
          ) : (
            <Empty title="No shared provider is known" />
          )
        }
      </Answered>
    </Panel>
  )
}
