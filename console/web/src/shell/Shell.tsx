import { ActionIcon, Menu, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { startLive, useLive } from '@/api/live'
import { signOut } from '@/api/session'
import { useMe } from '@/features/session/me'
import { Icon, type IconName } from '@/ui/icons'
import { useKeyboard, useKeys } from '@/ui/keys'
import { ShortcutList } from '@/ui/ShortcutList'
import { word } from '@/ui/words'
import { QuickSearch } from './QuickSearch'
import classes from './Shell.module.css'

export const PAGES = [
  { to: '/', icon: 'overview', label: 'Overview', key: 'o' },
  { to: '/alerts', icon: 'alerts', label: 'Alerts', key: 'a' },
  { to: '/cases', icon: 'cases', label: 'Cases', key: 'c' },
  { to: '/vendors', icon: 'vendors', label: 'Vendors', key: 'v' },
  { to: '/integrations', icon: 'integrations', label: 'Integrations', key: 'i' },
  { to: '/graph', icon: 'graph', label: 'Graph', key: 'g' },
  { to: '/playbooks', icon: 'playbooks', label: 'Playbooks', key: 'p' },
  { to: '/reports', icon: 'reports', label: 'Reports', key: 'r' },
  { to: '/settings', icon: 'settings', label: 'Settings', key: 's' },
] as const satisfies ReadonlyArray<{ to: string; icon: IconName; label: string; key: string }>

/** What stands around every page: navigation, search, the state of the live stream, who is signed in. */
export function Shell() {
  const cache = useQueryClient()
  const navigate = useNavigate()
  const path = useRouterState({ select: (state) => state.location.pathname })
  const [menu, setMenu] = useState(false)
  const [help, setHelp] = useState(false)
  const [search, setSearch] = useState(false)
  useKeyboard()
  useEffect(() => startLive(cache), [cache])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the menu closes when the page changes
  useEffect(() => setMenu(false), [path])
  useKeys('Everywhere', [
    { keys: '?', does: 'Show this list', run: () => setHelp(true) },
    { keys: '/', does: 'Search', run: () => setSearch(true) },
    ...PAGES.map(({ to, label, key }) => ({
      keys: `g ${key}`,
      does: `Go to ${label.toLowerCase()}`,
      run: () => void navigate({ to }),
    })),
  ])
  return (
    <div className={classes.shell}>
      <a href="#main" className={classes.skip}>
        Skip to content
      </a>
      <header className={classes.top}>
        <ActionIcon
          className={classes.burger}
          size="lg"
          aria-label="Menu"
          aria-expanded={menu}
          onClick={() => setMenu(!menu)}
        >
          <Icon name={menu ? 'close' : 'menu'} size={20} />
        </ActionIcon>
        <Link to="/" className={classes.brand}>
          <img src="/assets/mark.svg" alt="" width="22" height="22" />
          riskgraph
        </Link>
        <button type="button" className={classes.search} aria-label="Search anything" onClick={() => setSearch(true)}>
          <Icon name="search" size={14} />
          <span className={classes.searchWord}>Search anything</span>
          <kbd>/</kbd>
        </button>
        <LiveState />
        <Tooltip label="Keyboard shortcuts (?)">
          <ActionIcon
            className={classes.wideOnly}
            size="lg"
            aria-label="Keyboard shortcuts"
            onClick={() => setHelp(true)}
          >
            <Icon name="keyboard" size={18} />
          </ActionIcon>
        </Tooltip>
        <SchemeSwitch />
        <Account />
      </header>
      <nav className={classes.nav} aria-label="Pages" data-open={menu || undefined}>
        <ul>
          {PAGES.map(({ to, icon, label }) => (
            <li key={to}>
              <Link to={to} activeOptions={{ exact: to === '/' }} activeProps={{ 'data-active': true }}>
                <Icon name={icon} />
                {label}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <main id="main" className={classes.main} tabIndex={-1}>
        <Outlet />
      </main>
      <ShortcutList opened={help} onClose={() => setHelp(false)} />
      {search && <QuickSearch onClose={() => setSearch(false)} />}
    </div>
  )
}

const LIVE_WORDS = {
  connecting: ['Connecting', 'Opening the live stream.'],
  live: ['Live', 'Changes appear here as they happen.'],
  reconnecting: ['Reconnecting', 'The live stream broke off. What is missed meanwhile is fetched when it is back.'],
} as const

function LiveState() {
  const { state } = useLive()
  const [label, explanation] = LIVE_WORDS[state]
  return (
    <Tooltip label={explanation}>
      <span className={classes.live} data-state={state} role="status">
        <span className={classes.dot} aria-hidden="true" />
        {label}
      </span>
    </Tooltip>
  )
}

function SchemeSwitch() {
  const { setColorScheme } = useMantineColorScheme()
  const scheme = useComputedColorScheme('light')
  const other = scheme === 'dark' ? 'light' : 'dark'
  return (
    <Tooltip label={`Switch to ${other}`}>
      <ActionIcon size="lg" aria-label={`Switch to ${other}`} onClick={() => setColorScheme(other)}>
        <Icon name={scheme === 'dark' ? 'sun' : 'moon'} size={18} />
      </ActionIcon>
    </Tooltip>
  )
}

function Account() {
  const me = useMe()
  return (
    <Menu>
      <Menu.Target>
        <ActionIcon size="lg" aria-label={me ? `Signed in as ${me.name}, ${word(me.role)}` : 'Account'}>
          <Icon name="user" size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {me && (
          <Menu.Label>
            {me.name} ({word(me.role)})
          </Menu.Label>
        )}
        <Menu.Item onClick={() => void signOut()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
