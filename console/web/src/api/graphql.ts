import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query'
import { notifyDone, notifyError } from '@/ui/notify'
import type { TypedDocument } from './document'
import { ApiError } from './errors'
import { CLASSES, lostSession, requestHeaders } from './session'

interface GraphqlError {
  message: string
  extensions?: { code?: string; number?: string; requestId?: string; retryAfter?: number }
}

interface Answer<Result> {
  data?: Result | null
  errors?: GraphqlError[]
}

/** Asks the service; the one place a query or change leaves the console by. */
export async function graphqlRequest<Result, Variables>(
  document: TypedDocument<Result, Variables>,
  variables: Variables,
  signal?: AbortSignal,
): Promise<Result> {
  const answer = await send(document.name, { query: document.text, variables, operationName: document.name }, signal)
  const problem = answer.errors?.[0]
  if (problem) {
    const { code = 'INTERNAL', number, requestId, retryAfter } = problem.extensions ?? {}
    if (code === 'UNAUTHENTICATED') lostSession()
    throw new ApiError(problem.message, code, number, requestId, retryAfter)
  }
  return answer.data as Result
}

async function send(name: string, body: unknown, signal?: AbortSignal): Promise<Answer<never>> {
  let response: Response
  try {
    response = await fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...requestHeaders() },
      credentials: 'same-origin',
      body: JSON.stringify(body),
      signal,
    })
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new ApiError('The service does not answer.', 'OFFLINE')
  }
  if (response.status === 401) lostSession()
  const answer = await response.json().catch(() => null)
  if (answer?.error) {
    const { message, code, requestId } = answer.error
    throw new ApiError(message, CLASSES[response.status] ?? 'INTERNAL', code, requestId)
  }
  if (answer) return answer
  const code = response.status < 500 ? 'INTERNAL' : 'OFFLINE'
  throw new ApiError(`The service answered ${response.status} to ${name}.`, code)
}

/** What a cached answer is about; a change says which of these it makes stale. */
export type Topic =
  | 'me'
  | 'overview'
  | 'alerts'
  | 'alert'
  | 'cases'
  | 'vendors'
  | 'integrations'
  | 'graph'
  | 'playbooks'
  | 'runs'
  | 'approvals'
  | 'reports'
  | 'channels'
  | 'silences'
  | 'tokens'
  | 'audit'

/** Options of a query for `useQuery`, with its topic first in the key. */
export function ask<Result, Variables>(topic: Topic, document: TypedDocument<Result, Variables>, variables: Variables) {
  return queryOptions({
    queryKey: [topic, document.name, variables],
    queryFn: ({ signal }) => graphqlRequest(document, variables, signal),
    placeholderData: keepPreviousData,
  })
}

interface PageInfo {
  hasNextPage: boolean
  endCursor: string | null
}

/** The same for a list that is read page by page. */
export function askPages<Result, Variables extends { after?: string | null }>(
  topic: Topic,
  document: TypedDocument<Result, Variables>,
  variables: Omit<Variables, 'after'>,
  pageInfo: (result: Result) => PageInfo | undefined,
) {
  return infiniteQueryOptions({
    queryKey: [topic, document.name, variables, 'pages'],
    queryFn: ({ pageParam, signal }) =>
      graphqlRequest(document, { ...variables, after: pageParam } as unknown as Variables, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last: Result) => {
      const info = pageInfo(last)
      return info?.hasNextPage ? info.endCursor : undefined
    },
    placeholderData: keepPreviousData,
  })
}

interface ChangeOptions<Result> {
  /** What the change makes stale. */
  touches: Topic[]
  /** Told when it is done; nothing is told without it. */
  done?: string | ((result: Result) => string)
  onDone?: (result: Result) => void
}

/** A change: sends it, tells how it went, and has the lists it touches asked again. */
export function useChange<Result, Variables>(
  document: TypedDocument<Result, Variables>,
  options: ChangeOptions<Result>,
) {
  const cache = useQueryClient()
  return useMutation({
    mutationKey: [document.name],
    mutationFn: (variables: Variables) => graphqlRequest(document, variables),
    onSuccess: (result) => {
      const { done } = options
      if (done) notifyDone(typeof done === 'function' ? done(result) : done)
      for (const topic of options.touches) void cache.invalidateQueries({ queryKey: [topic] })
      options.onDone?.(result)
    },
    onError: (error) => notifyError(error),
  })
}
