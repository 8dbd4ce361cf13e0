import type { ReactNode } from 'react'

const PATHS = {
  overview: 'M3 12h4l3-8 4 16 3-8h4',
  alerts: 'M12 3 2.5 20h19L12 3Zm0 7v4m0 3v.01',
  cases: 'M4 7h16v12H4zM9 7V4h6v3',
  vendors: 'M4 20V9l8-5 8 5v11M4 20h16M9 20v-6h6v6',
  integrations: 'M8 7h8M8 17h8M5 4v6m14-6v6M5 14v6m14-6v6',
  graph: 'M6 7a2 2 0 1 0 0-.01M18 5a2 2 0 1 0 0-.01M12 19a2 2 0 1 0 0-.01M7.6 8.2l3.4 9M16.6 6.7l-3.8 10.5M8 6.8l8-1.6',
  playbooks: 'M5 4h14v16H5zM9 9l2 2 4-4M9 16h6',
  reports: 'M6 3h9l4 4v14H6zM14 3v5h5M9 13h6M9 17h6',
  settings: 'M4 7h10m4 0h2M4 17h2m4 0h10M16 7a2 2 0 1 0 0-.01M8 17a2 2 0 1 0 0-.01',
  menu: 'M4 7h16M4 12h16M4 17h16',
  close: 'M6 6l12 12M18 6 6 18',
  search: 'M11 18a7 7 0 1 1 0-14 7 7 0 0 1 0 14Zm5-2 5 5',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8Zm0-6v2m0 16v2M2 12h2m16 0h2M5 5l1.5 1.5m11 11L19 19M5 19l1.5-1.5m11-11L19 5',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z',
  user: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-8 9a8 8 0 0 1 16 0',
  check: 'm5 13 5 5L20 6',
  down: 'm6 9 6 6 6-6',
  right: 'm9 6 6 6-6 6',
  back: 'm15 6-6 6 6 6',
  link: 'M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1m2 4a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1',
  clock: 'M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18Zm0-14v5l3 2',
  mute: 'M4 9v6h4l5 4V5L8 9H4Zm12 0 5 6m0-6-5 6',
  shield: 'M12 3 4 6v6c0 5 3.5 8 8 9 4.5-1 8-4 8-9V6l-8-3Z',
  lock: 'M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3',
  undo: 'M9 8H4V3M4 8a9 9 0 1 1-1 7',
  play: 'M8 5v14l11-7L8 5Z',
  stop: 'M6 6h12v12H6z',
  plus: 'M12 5v14M5 12h14',
  refresh: 'M20 11a8 8 0 1 0-2 6m2-12v6h-6',
  download: 'M12 4v11m-5-5 5 5 5-5M4 20h16',
  keyboard: 'M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M8 14h8',
} as const

export type IconName = keyof typeof PATHS

/** A drawing beside a word; it says nothing the word does not. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }): ReactNode {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}
