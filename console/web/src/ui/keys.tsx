import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react'

export interface Shortcut {
  /** One key, or a key after another: `a`, `?`, `g a`. */
  keys: string
  does: string
  run: () => void
}

interface Scope {
  name: string
  shortcuts: readonly Shortcut[]
}

/** A second key counts as part of a sequence within this time, ms. */
const SEQUENCE_MS = 900

let scopes: readonly Scope[] = []
const listeners = new Set<() => void>()

function setScopes(next: readonly Scope[]) {
  scopes = next
  for (const listener of listeners) listener()
}

/** What can be pressed now, by part of the page. */
export function useScopes(): readonly Scope[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => scopes,
  )
}

/** Offers shortcuts as long as the component is shown; they also stand in the list below `?`. */
export function useKeys(name: string, shortcuts: readonly Shortcut[]): void {
  const latest = useRef(shortcuts)
  useEffect(() => {
    latest.current = shortcuts
  })
  const signature = shortcuts.map((one) => `${one.keys}\t${one.does}`).join('\n')
  const stable = useMemo(
    () =>
      signature
        .split('\n')
        .filter(Boolean)
        .map((line, index) => {
          const [keys = '', does = ''] = line.split('\t')
          return { keys, does, run: () => latest.current[index]?.run() }
        }),
    [signature],
  )
  useEffect(() => {
    const scope = { name, shortcuts: stable }
    setScopes([...scopes, scope])
    return () => setScopes(scopes.filter((one) => one !== scope))
  }, [name, stable])
}

/** Whether keys now belong to what is typed or to an open dialog. */
function isTaken(target: EventTarget | null): boolean {
  if (document.querySelector('[aria-modal="true"], [role="menu"]')) return true
  return target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable="true"]') !== null
}

/** Listens for the shortcuts of all scopes; the one shown last goes first. Mounted once. */
export function useKeyboard(): void {
  useEffect(() => {
    let first = ''
    let since = 0
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTaken(event.target)) return
      const sequence = first && event.timeStamp - since < SEQUENCE_MS ? `${first} ${event.key}` : event.key
      const all = scopes.toReversed().flatMap((scope) => scope.shortcuts)
      const match = all.find((one) => one.keys === sequence) ?? all.find((one) => one.keys === event.key)
      if (match) {
        event.preventDefault()
        first = ''
        match.run()
        return
      }
      first = all.some((one) => one.keys.startsWith(`${event.key} `)) ? event.key : ''
      since = event.timeStamp
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
}
