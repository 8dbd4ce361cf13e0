import { SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { ask } from '@/api/graphql'
import { FilterBar, SearchField } from '@/ui/Filters'
import { PageHead, Panel } from '@/ui/Page'
import { Empty } from '@/ui/States'
import { BlastView } from './BlastView'
import { EntityCard } from './EntityCard'
import { NeighbourhoodDocument } from './graph.gql'
import { NearView } from './NearView'
import { PathView } from './PathView'
import { SearchResults } from './SearchResults'

const route = getRouteApi('/graph')

/** Walk the risk graph: find something, see what is near it, how two things hang together, what trouble would reach. */
export function GraphPage() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const go = (change: Partial<typeof search>) => void navigate({ search: { ...search, ...change } })
  const entity = useQuery({
    ...ask('graph', NeighbourhoodDocument, { id: search.id ?? '' }),
    enabled: search.id !== undefined,
  })
  const found = search.id ? entity.data?.entity : undefined
  const { show = 'near', as = 'picture' } = search
  return (
    <>
      <PageHead
        title={found ? found.name : 'Graph'}
        lead={
          found
            ? undefined
            : 'Everything that is watched, and how it hangs together. Search for a vendor, user, address, card or key.'
        }
      />
      <FilterBar isFiltered={Object.keys(search).length > 0} onClear={() => void navigate({ search: {} })}>
        <SearchField
          label="Search the graph"
          value={search.query ?? ''}
          onChange={(query) => go({ query: query || undefined })}
        />
        {found && (
          <>
            <SegmentedControl
              aria-label="What to show"
              value={show}
              onChange={(next) => go({ show: next as typeof show, query: undefined })}
              data={[
                { value: 'near', label: 'Neighbourhood' },
                { value: 'path', label: 'Path to ...' },
                { value: 'blast', label: 'Blast radius' },
              ]}
            />
            <SegmentedControl
              aria-label="How to show it"
              value={as}
              onChange={(next) => go({ as: next as typeof as })}
              data={[
                { value: 'picture', label: 'Picture' },
                { value: 'table', label: 'Table' },
              ]}
            />
          </>
        )}
      </FilterBar>
      {search.query || !search.id ? (
        <SearchResults
          query={search.query}
          kind={search.kind}
          onKind={(kind) => go({ kind })}
          onChoose={(id) => void navigate({ search: { id } })}
        />
      ) : found ? (
        <div className="columns">
          {show === 'near' && (
            <NearView entity={found} as={as} onOpen={(id) => void navigate({ search: { ...search, id } })} />
          )}
          {show === 'path' && <PathView from={found} to={search.to} as={as} onTo={(to) => go({ to })} />}
          {show === 'blast' && (
            <BlastView
              entity={found}
              depth={search.depth ?? 3}
              as={as}
              onDepth={(depth) => go({ depth })}
              onOpen={(id) => void navigate({ search: { ...search, id } })}
            />
          )}
          <EntityCard entity={found} />
        </div>
      ) : (
        entity.isFetched && (
          <Panel title="Not found">
            <Empty title="This is not in the graph any more" icon="graph">
              Things nobody saw for long leave the graph. Search for another.
            </Empty>
          </Panel>
        )
      )}
    </>
  )
}
