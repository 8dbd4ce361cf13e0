/** What the service refused, in its own words. */
export class ApiError extends Error {
  override readonly name = 'ApiError'

  constructor(
    message: string,
    /** The class, such as `FORBIDDEN`; `OFFLINE` when the service did not answer. */
    readonly code: string,
    /** The number that never changes, such as `RG-0202`. */
    readonly number: string | null = null,
    readonly requestId: string | null = null,
    /** Seconds after which asking again may help. */
    readonly retryAfter: number | null = null,
  ) {
    super(message)
  }
}

const ADVICE: Record<string, string> = {
  OFFLINE: 'The service does not answer. Is it running? This page tries again by itself.',
  FORBIDDEN: 'Sign in with a token of a role that may do this.',
  NOT_FOUND: 'It may have been removed, or the address was cut short. Go back to the list.',
  CONFLICT: 'Somebody changed it meanwhile. Load the page again and repeat your change.',
  RATE_LIMITED: 'Too many requests at once. Wait a moment, then try again.',
  QUERY_TIMEOUT: 'The service is busy. Try again, or narrow the filters.',
  COST_EXCEEDED: 'This asks for too much at once. Narrow the filters.',
  STALE_CURSOR: 'The list moved on. Load it again from the start.',
}

/** What a person can do about an error. */
export function adviceFor(error: unknown): string {
  if (!(error instanceof ApiError)) return 'Load the page again. If it happens again, report what you did.'
  const advice = ADVICE[error.code]
  if (advice) return advice
  if (error.requestId) return `The operator finds it in the log by the reference ${error.requestId}.`
  return 'Correct the input and try again.'
}

/** Whether asking again by itself can help. */
export function mayPass(error: unknown): boolean {
  return error instanceof ApiError && (error.code === 'OFFLINE' || error.code === 'RATE_LIMITED')
}
