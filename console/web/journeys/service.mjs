// A `riskgraph demo` of its own for the journeys: a free port, a temporary folder, ended at the end.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..')
const START_MS = 120_000

function binary() {
  const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target')
  const places = [process.env.RISKGRAPH_BIN, join(target, 'release/riskgraph'), join(target, 'debug/riskgraph')]
  const found = places.find((place) => place && existsSync(place))
  if (!found) throw new Error('no riskgraph binary: cargo build first, or name one in RISKGRAPH_BIN')
  return found
}

/** Starts the demo and waits until it said where it is and how to sign in. */
export async function startService({ speed = 2400 } = {}) {
  const child = spawn(binary(), ['demo', '--listen', process.env.LISTEN ?? '127.0.0.1:0', '--speed', String(speed)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  const told = (pattern) => said.match(pattern)?.[1]
  const ready = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the demo did not start:\n${said}`)), START_MS)
    const hear = (chunk) => {
      said += chunk
      if (told(/(http:\/\/\S+\/#code=\S+)/)) {
        clearTimeout(timer)
        resolve()
      }
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.on('exit', (code) => reject(new Error(`the demo ended with ${code}:\n${said}`)))
  })
  await ready
  const printed = new URL(told(/(http:\/\/\S+\/#code=\S+)/))
  // The page itself may come from elsewhere, such as `npm run dev`.
  const base = process.env.CONSOLE_URL ?? printed.origin
  const link = `${base}/${printed.hash}`
  const token = told(/(rg_\w+)/)
  const stop = () =>
    new Promise((resolve) => {
      child.on('exit', resolve)
      child.kill('SIGINT')
      setTimeout(() => child.kill('SIGKILL'), 15_000).unref()
    })
  return { base, link, token, stop, said: () => said, graphql: asker(printed.origin, token), api: printed.origin }
}

/** Asks the API beside the page, to prepare and to compare. */
function asker(base, token) {
  return async (query, variables = {}) => {
    const response = await fetch(`${base}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    })
    const { data, errors } = await response.json()
    if (errors?.length) throw new Error(`${errors[0].message} in ${query}`)
    return data
  }
}

/** Follows alert changes by server-sent events, and tells each with the time it came. */
export function followAlerts({ api, token }, onChange) {
  const stop = new AbortController()
  const query = 'subscription { alerts { cursor change alert { id title severity status } } }'
  const run = async () => {
    const response = await fetch(`${api}/graphql`, {
      method: 'POST',
      signal: stop.signal,
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query }),
    })
    let text = ''
    const decoder = new TextDecoder()
    for await (const chunk of response.body) {
      const at = Date.now()
      text += decoder.decode(chunk, { stream: true })
      const events = text.split('\n\n')
      text = events.pop()
      for (const event of events) {
        const data = event
          .split('\n')
          .find((line) => line.startsWith('data:'))
          ?.slice(5)
          .trim()
        const change = data && JSON.parse(data).data?.alerts
        if (change) onChange(change, at)
      }
    }
  }
  run().catch((error) => {
    if (!stop.signal.aborted) throw error
  })
  return () => stop.abort()
}

/** Waits until a question has the wanted answer. */
export async function until(what, ask, { within = 60_000, every = 300 } = {}) {
  const end = Date.now() + within
  for (;;) {
    const answer = await ask()
    if (answer) return answer
    if (Date.now() > end) throw new Error(`not within ${within / 1000} s: ${what}`)
    await new Promise((wake) => setTimeout(wake, every))
  }
}
