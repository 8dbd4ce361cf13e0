import { Modal, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent, useState } from 'react'
import { ask } from '@/api/graphql'
import { SearchEntitiesDocument } from '@/features/graph/graph.gql'
import { Icon } from '@/ui/icons'
import { RiskScore } from '@/ui/Severity'
import { word } from '@/ui/words'
import classes from './QuickSearch.module.css'
import { PAGES } from './Shell'

interface Hit {
  key: string
  open: () => void
  kind: string
  name: string
  risk?: { score: number; level: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL' }
}

/** Finds anything by part of its name: pages, and what is in the graph. */
export function QuickSearch({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate()
  const [text, setText] = useState('')
  const [wanted] = useDebouncedValue(text.trim(), 150)
  const [chosen, setChosen] = useState(0)
  const found = useQuery({ ...ask('graph', SearchEntitiesDocument, { query: wanted }), enabled: wanted.length > 1 })
  const pages: Hit[] = PAGES.filter(({ label }) => text && label.toLowerCase().includes(text.toLowerCase())).map(
    ({ to, label }) => ({
      key: to,
      kind: 'page',
      name: label,
      open: () => void navigate({ to }),
    }),
  )
  const things: Hit[] = (wanted.length > 1 ? (found.data?.entities.edges ?? []) : []).slice(0, 12).map(({ node }) => ({
    key: node.id,
    kind: word(node.kind),
    name: node.name,
    risk: node.risk,
    open: () => void navigate({ to: '/graph', search: { id: node.id } }),
  }))
  const hits = [...pages, ...things]
  const at = Math.min(chosen, Math.max(hits.length - 1, 0))
  const open = (hit: Hit | undefined) => {
    if (!hit) return
    hit.open()
    onClose()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setChosen(Math.min(at + 1, hits.length - 1))
    else if (event.key === 'ArrowUp') setChosen(Math.max(at - 1, 0))
    else if (event.key === 'Enter') open(hits[at])
    else return
    event.preventDefault()
  }
  return (
    <Modal
      opened
      onClose={onClose}
      withCloseButton={false}
      yOffset="10vh"
      centered={false}
      size="lg"
      padding={0}
      title="Search"
      classNames={{ header: 'hidden-visually' }}
    >
      <TextInput
        data-autofocus
        size="md"
        variant="unstyled"
        className={classes.input}
        aria-label="Search vendors, users, addresses, keys and pages"
        placeholder="A vendor, user, address, card, key ..."
        leftSection={<Icon name="search" />}
        value={text}
        role="combobox"
        aria-expanded={hits.length > 0}
        aria-controls="quick-hits"
        aria-activedescendant={hits[at] ? `hit-${at}` : undefined}
        onChange={(event) => {
          setText(event.currentTarget.value)
          setChosen(0)
        }}
        onKeyDown={onKeyDown}
      />
      <div id="quick-hits" role="listbox" aria-label="Found" className={classes.hits}>
        {hits.map((hit, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys
          <div
            key={hit.key}
            id={`hit-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === at}
            className={classes.hit}
            onClick={() => open(hit)}
          >
            <span className={classes.kind}>{hit.kind}</span>
            <span className="grow cut">{hit.name}</span>
            {hit.risk && <RiskScore score={hit.risk.score} level={hit.risk.level} />}
          </div>
        ))}
      </div>
      {hits.length === 0 && (
        <p className={classes.hint}>
          {wanted.length < 2
            ? 'Type two letters or more. Misspelling is fine.'
            : found.isFetching
              ? 'Looking ...'
              : `Nothing is called anything like "${wanted}".`}
        </p>
      )}
    </Modal>
  )
}
