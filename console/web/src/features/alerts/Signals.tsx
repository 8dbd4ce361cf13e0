import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { SignalRowFragment } from '@/api/fragments.gql'
import { askPages } from '@/api/graphql'
import { Bars } from '@/ui/Bars'
import { Evidence } from '@/ui/Facts'
import { Icon } from '@/ui/icons'
import { Panel } from '@/ui/Page'
import { Severity } from '@/ui/Severity'
import { ClockTime } from '@/ui/Time'
import { word } from '@/ui/words'
import type { AlertData } from './AlertPage'
import { MoreSignalsDocument } from './alerts.gql'
import classes from './Signals.module.css'

/** Signals shown at once; the rest on demand. */
const FIRST = 8

/** What the detectors saw: each signal with its reasons and evidence. */
export function Signals({ alert }: { alert: AlertData }) {
  const [showAll, setShowAll] = useState(false)
  const more = useInfiniteQuery({
    ...askPages('alert', MoreSignalsDocument, { id: alert.id }, (result) => result.alert?.signals.pageInfo),
    enabled: showAll,
  })
  const first = alert.signals.edges.map((edge) => edge.node).slice(0, FIRST)
  const all = more.data?.pages.flatMap((page) => page.alert?.signals.edges.map((edge) => edge.node) ?? []) ?? first
  const isMore = showAll ? more.hasNextPage : alert.count > first.length
  const load = () => (showAll ? void more.fetchNextPage() : setShowAll(true))
  return (
    <Panel title="Signals and evidence" flush aside={`${alert.count} in all`}>
      {all.map((signal, index) => (
        <SignalRow key={signal.id} signal={signal} isOpen={index === 0} />
      ))}
      {isMore && (
        <div className={classes.more}>
          <Button variant="default" onClick={load} loading={more.isFetching}>
            Show more signals
          </Button>
        </div>
      )}
    </Panel>
  )
}

/** One signal; its reasons and evidence fold out. */
export function SignalRow({ signal, isOpen = false }: { signal: SignalRowFragment; isOpen?: boolean }) {
  return (
    <details className={classes.signal} open={isOpen}>
      <summary>
        <span className={classes.turn}>
          <Icon name="right" size={14} />
        </span>
        <Severity level={signal.severity} />
        <span className={classes.title}>{signal.title}</span>
        <span className="dim small">{word(signal.detector)}</span>
        <span className="dim small">
          <ClockTime at={signal.occurredAt} />
        </span>
      </summary>
      <div className={classes.inner}>
        <div className="stack">
          <h3>Reasons</h3>
          <Bars
            unit="of the signal's score"
            bars={signal.reasons.map((reason, index) => ({
              key: `${index}`,
              label: reason.text,
              value: reason.weight,
              detail: reason.observed && (
                <>
                  observed {reason.observed}
                  {reason.expected && `, expected ${reason.expected}`}
                </>
              ),
            }))}
          />
        </div>
        <div className="stack">
          <h3>Evidence</h3>
          <Evidence value={signal.evidence} />
        </div>
      </div>
    </details>
  )
}
