import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { ask } from '@/api/graphql'
import { Panel } from '@/ui/Page'
import { Answered, Empty } from '@/ui/States'
import { Status } from '@/ui/Status'
import { Time } from '@/ui/Time'
import { word } from '@/ui/words'
import classes from './Changes.module.css'
import { WhatChangedDocument, type WhatChangedQuery } from './overview.gql'

const WEEK_MS = 7 * 86_400_000
const HOUR_MS = 3_600_000
const ROWS_MAX = 12

/** What became different in the portfolio within a week. */
export function Changes() {
  // By the hour, so that the question stays the same and its answer can be kept.
  const since = useMemo(() => new Date(Math.floor(Date.now() / HOUR_MS) * HOUR_MS - WEEK_MS).toISOString(), [])
  const query = useQuery(ask('overview', WhatChangedDocument, { since }))
  return (
    <Panel title="What changed this week" flush>
      <Answered query={query}>
        {(data) => {
          const changes = data.changes?.edges.map((edge) => edge.node) ?? []
          if (changes.length === 0) return <Empty title="Nothing changed" />
          return (
            <ul className={classes.list}>
              {changes.slice(0, ROWS_MAX).map((change) => (
                <li key={`${change.at} ${change.kind} ${change.text}`}>
                  <span className={classes.meta}>
                    <Status>{word(change.kind)}</Status>
                    <Time at={change.at} />
                  </span>
                  <ChangeText change={change} />
                </li>
              ))}
            </ul>
          )
        }}
      </Answered>
    </Panel>
  )
}

type Change = WhatChangedQuery['changes']['edges'][number]['node']

function ChangeText({ change }: { change: Change }) {
  if (change.alert) {
    return (
      <Link to="/alerts/$id" params={{ id: change.alert.id }}>
        {change.text}
      </Link>
    )
  }
  if (change.vendor) {
    return (
      <Link
        to="/vendors/$id"
        params={{ id: change.vendor.id }}
        search={change.finding ? { tab: 'findings', finding: change.finding.id } : {}}
      >
        {change.text}
      </Link>
    )
  }
  return <span>{change.text}</span>
}
