import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import type { AlertStatus, Grade, ReportKind, Severity, VendorTier } from '@/api/schema.gen'
import { OverviewPage } from '@/features/overview/OverviewPage'
import { NotFound, PageFailed } from '@/shell/NotFound'
import { Root } from '@/shell/Root'
import { either, flag, search, text } from '@/shell/search'

const severity = either<Severity>('LOW', 'MEDIUM', 'HIGH', 'CRITICAL')

const root = createRootRoute({ component: Root, notFoundComponent: NotFound, errorComponent: PageFailed })
const overview = createRoute({ getParentRoute: () => root, path: '/', component: OverviewPage })
const alerts = createRoute({
  getParentRoute: () => root,
  path: '/alerts',
  validateSearch: search({
    status: either<AlertStatus | 'ALL'>('OPEN', 'ACKNOWLEDGED', 'RESOLVED', 'ALL'),
    severity: severity,
    query: text,
    technique: text,
    assignee: text,
    vendor: text,
    entity: text,
    muted: flag,
    overdue: flag,
  }),
  component: lazyRouteComponent(() => import('@/features/alerts/AlertsPage'), 'AlertsPage'),
})
const alert = createRoute({
  getParentRoute: () => root,
  path: '/alerts/$id',
  component: lazyRouteComponent(() => import('@/features/alerts/AlertPage'), 'AlertPage'),
})
const cases = createRoute({
  getParentRoute: () => root,
  path: '/cases',
  validateSearch: search({ status: either<'OPEN' | 'CLOSED' | 'ALL'>('OPEN', 'CLOSED', 'ALL'), query: text }),
  component: lazyRouteComponent(() => import('@/features/cases/CasesPage'), 'CasesPage'),
})
const oneCase = createRoute({
  getParentRoute: () => root,
  path: '/cases/$id',
  component: lazyRouteComponent(() => import('@/features/cases/CasePage'), 'CasePage'),
})
const vendors = createRoute({
  getParentRoute: () => root,
  path: '/vendors',
  validateSearch: search({
    query: text,
    tier: either<VendorTier>('CRITICAL', 'HIGH', 'MEDIUM', 'LOW'),
    grade: either<Grade>('A', 'B', 'C', 'D', 'F'),
    order: either('risk', 'score', 'name'),
    add: flag,
  }),
  component: lazyRouteComponent(() => import('@/features/vendors/VendorsPage'), 'VendorsPage'),
})
const vendor = createRoute({
  getParentRoute: () => root,
  path: '/vendors/$id',
  validateSearch: search({ tab: either('posture', 'findings', 'dependencies', 'alerts'), finding: text }),
  component: lazyRouteComponent(() => import('@/features/vendors/VendorPage'), 'VendorPage'),
})
const integrations = createRoute({
  getParentRoute: () => root,
  path: '/integrations',
  component: lazyRouteComponent(() => import('@/features/integrations/IntegrationsPage'), 'IntegrationsPage'),
})
const integration = createRoute({
  getParentRoute: () => root,
  path: '/integrations/$id',
  validateSearch: search({ range: either('day', 'week', 'month') }),
  component: lazyRouteComponent(() => import('@/features/integrations/IntegrationPage'), 'IntegrationPage'),
})
const graph = createRoute({
  getParentRoute: () => root,
  path: '/graph',
  validateSearch: search({
    query: text,
    kind: text,
    id: text,
    to: text,
    show: either('near', 'path', 'blast'),
    as: either('picture', 'table'),
    depth: either(1, 2, 3, 4, 5, 6),
  }),
  component: lazyRouteComponent(() => import('@/features/graph/GraphPage'), 'GraphPage'),
})
const playbooks = createRoute({
  getParentRoute: () => root,
  path: '/playbooks',
  validateSearch: search({ tab: either('playbooks', 'approvals', 'runs', 'switches') }),
  component: lazyRouteComponent(() => import('@/features/playbooks/PlaybooksPage'), 'PlaybooksPage'),
})
const playbook = createRoute({
  getParentRoute: () => root,
  path: '/playbooks/$id',
  component: lazyRouteComponent(() => import('@/features/playbooks/PlaybookPage'), 'PlaybookPage'),
})
const run = createRoute({
  getParentRoute: () => root,
  path: '/runs/$id',
  component: lazyRouteComponent(() => import('@/features/playbooks/RunPage'), 'RunPage'),
})
const reports = createRoute({
  getParentRoute: () => root,
  path: '/reports',
  validateSearch: search({
    kind: either<ReportKind>('VENDOR_MANAGER', 'RISK_LEAD', 'BOARD', 'VENDOR'),
    open: text,
    tab: either('reports', 'schedules'),
  }),
  component: lazyRouteComponent(() => import('@/features/reports/ReportsPage'), 'ReportsPage'),
})
const settings = createRoute({
  getParentRoute: () => root,
  path: '/settings',
  validateSearch: search({
    section: either('channels', 'silences', 'import', 'tokens', 'audit'),
    channel: text,
    actor: text,
    action: text,
  }),
  component: lazyRouteComponent(() => import('@/features/settings/SettingsPage'), 'SettingsPage'),
})

const routeTree = root.addChildren([
  overview,
  alerts,
  alert,
  cases,
  oneCase,
  vendors,
  vendor,
  integrations,
  integration,
  graph,
  playbooks,
  playbook,
  run,
  reports,
  settings,
])

export const router = createRouter({ routeTree, defaultPreload: 'intent', scrollRestoration: true })

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
