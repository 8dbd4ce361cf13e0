import type { QueryClient } from '@tanstack/react-query'
import { type Client, createClient } from 'graphql-ws'
import { useSyncExternalStore } from 'react'
import type { TypedDocument } from './document'
import { AlertChangesDocument, type AlertChangesSubscription, RunChangesDocument } from './live.gql'
import { applyAlertChange, settle } from './liveCache'

/** Waits between attempts to reconnect, ms; the last one repeats. */
const BACKOFF_MS = [250, 1_000, 2_000, 5_000]
/** Changes kept for the page that shows what passes by. */
const FEED_MAX = 100

export type AlertChange = AlertChangesSubscription['alerts']
export type LiveState = 'connecting' | 'live' | 'reconnecting'

interface Snapshot {
  state: LiveState
  /** Newest first. */
  feed: readonly AlertChange[]
}

let snapshot: Snapshot = { state: 'connecting', feed: [] }
const listeners = new Set<() => void>()

function publish(change: Partial<Snapshot>) {
  snapshot = { ...snapshot, ...change }
  for (const listener of listeners) listener()
}

export function useLive(): Snapshot {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => snapshot,
  )
}

let client: Client | null = null

function socket(): Client {
  client ??= createClient({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
    // Every stream resumes from where it was, which the client's own retries cannot: they repeat the first request.
    retryAttempts: 0,
    keepAlive: 20_000,
    on: { connected: () => publish({ state: 'live' }) },
  })
  return client
}

/** Follows one stream until it ends, and tells each result. */
export function follow<Result, Variables>(
  document: TypedDocument<Result, Variables>,
  variables: Variables,
  onResult: (result: Result) => void,
  onEnd: (error?: unknown) => void = () => {},
): () => void {
  return socket().subscribe<Result>(
    { query: document.text, operationName: document.name, variables: variables as Record<string, unknown> },
    {
      next: (message) => {
        if (message.errors?.length) onEnd(message.errors)
        else if (message.data) onResult(message.data)
      },
      error: onEnd,
      complete: () => onEnd(),
    },
  )
}

/** Keeps the cache as the alerts are, until stopped. Resumes by cursor: nothing is missed, nothing comes twice. */
export function startLive(cache: QueryClient): () => void {
  const stop = new AbortController()
  void keepFollowing(stop.signal, cache)
  return () => {
    stop.abort()
    void client?.dispose()
    client = null
    publish({ state: 'connecting', feed: [] })
  }
}

async function keepFollowing(stop: AbortSignal, cache: QueryClient) {
  let cursor: string | null = null
  let failures = 0
  while (!stop.aborted) {
    const ended = await followOnce(stop, cache, cursor, (change) => {
      failures = 0
      cursor = change.cursor
    })
    if (stop.aborted) return
    publish({ state: 'reconnecting' })
    if (ended === 'stale') cursor = null
    await new Promise((wake) => setTimeout(wake, BACKOFF_MS[Math.min(failures, BACKOFF_MS.length - 1)]))
    failures += 1
  }
}

function followOnce(
  stop: AbortSignal,
  cache: QueryClient,
  after: string | null,
  onChange: (change: AlertChange) => void,
): Promise<'ended' | 'stale'> {
  return new Promise((resolve) => {
    const stops: Array<() => void> = []
    const end = (how: 'ended' | 'stale') => {
      for (const one of stops) one()
      resolve(how)
    }
    stop.addEventListener('abort', () => end('ended'), { once: true })
    // Without a cursor there may be a gap behind us: what is shown is asked again once the stream is open.
    if (!after) settle(cache)
    stops.push(
      follow(
        AlertChangesDocument,
        { after },
        ({ alerts: change }) => {
          onChange(change)
          publish({ state: 'live', feed: [change, ...snapshot.feed].slice(0, FEED_MAX) })
          applyAlertChange(cache, change)
        },
        (error) => end(isStale(error) ? 'stale' : 'ended'),
      ),
    )
    stops.push(
      follow(RunChangesDocument, {}, () => {
        for (const topic of ['runs', 'approvals', 'alert'] as const) settle(cache, topic)
      }),
    )
  })
}

function isStale(error: unknown): boolean {
  return JSON.stringify(error ?? '').includes('STALE_CURSOR')
}
