import { ApiError } from './errors'

/**
 * Who is signed in lives in an HttpOnly cookie the page cannot read. Requests by cookie carry a header of ours, which a
 * foreign page cannot send.
 */
const CONSOLE_HEADER = { 'x-riskgraph-console': '1' }

/** Errors outside GraphQL have a number, and their class by the status. */
export const CLASSES: Record<number, string> = {
  400: 'BAD_USER_INPUT',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  429: 'RATE_LIMITED',
}

type Listener = () => void
const listeners = new Set<Listener>()

export function requestHeaders(): Record<string, string> {
  return CONSOLE_HEADER
}

/** Tells the page that the service no longer knows us. */
export function lostSession(): void {
  for (const listener of listeners) listener()
}

export function onLostSession(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Exchanges a token, or the code of a first-run link, for a session. */
export async function signIn(secret: { token: string } | { code: string }): Promise<void> {
  const response = await fetch('/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...CONSOLE_HEADER },
    credentials: 'same-origin',
    body: JSON.stringify(secret),
  }).catch(() => {
    throw new ApiError('The service does not answer.', 'OFFLINE')
  })
  if (response.ok) return
  const answer = await response.json().catch(() => null)
  const { message = `The service answered ${response.status}.`, requestId = null } = answer?.error ?? {}
  throw new ApiError(message, CLASSES[response.status] ?? 'INTERNAL', answer?.error?.code, requestId)
}

export async function signOut(): Promise<void> {
  await fetch('/session', { method: 'DELETE', headers: CONSOLE_HEADER, credentials: 'same-origin' }).catch(() => {})
  lostSession()
}

/** Takes the code of a first-run link (`/#code=...`) out of the address, so that it is neither kept nor shared. */
export function takeLinkCode(): string | null {
  const code = new URLSearchParams(location.hash.slice(1)).get('code')
  if (code) history.replaceState(null, '', location.pathname + location.search)
  return code
}
