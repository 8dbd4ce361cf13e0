import assert from 'node:assert/strict'
import { followAlerts, until } from '../service.mjs'
import { checkPage, rowsOf, signIn } from '../visitor.mjs'

export const title = 'an attack appears live, is opened, understood, contained by an approved playbook and resolved'

export default async function walk({ service, open, measure }) {
  const { page } = await open()
  await signIn(page, service.token)
  await measureLag(service, page, measure)
  await checkPage(page, 'the overview')

  // Opened by keys alone.
  await page.goto('/alerts?severity=CRITICAL')
  await until('a critical alert is listed', async () => (await rowsOf(page, 'Alerts').count()) > 1, { within: 120_000 })
  await checkPage(page, 'the list of alerts')
  const alert = await attackWithPlaybook(service)
  await page.goto(`/alerts/${alert.id}`)
  await page.getByRole('heading', { level: 1, name: alert.title }).waitFor()

  // Understood.
  for (const part of [
    'What to do',
    'Attack path',
    'Why this score',
    'Signals and evidence',
    'Timeline',
    'ATT&CK techniques',
    'Similar alerts',
  ]) {
    await page.getByRole('region', { name: part, exact: true }).waitFor()
  }
  await page
    .getByRole('region', { name: 'Signals and evidence' })
    .getByText('Evidence', { exact: true })
    .first()
    .waitFor()
  await checkPage(page, 'an alert')
  await page.keyboard.press('a')
  await page.getByText('acknowledged', { exact: true }).first().waitFor()

  // Contained.
  await contain({ service, open, page, alert })

  // Resolved.
  await page.keyboard.press('r')
  const dialog = page.getByRole('dialog', { name: 'Resolve this alert' })
  await dialog.getByLabel('What was it really?').selectOption('TRUE_POSITIVE')
  await dialog.getByLabel('Why do you think so?').fill('The playbook stopped it.')
  await checkPage(page, 'the resolve dialog')
  await dialog.getByRole('button', { name: 'Resolve' }).click()
  await page.getByText('true positive').first().waitFor()
  await page
    .getByRole('region', { name: 'Timeline' })
    .getByText(/TRUE_POSITIVE|true positive/i)
    .first()
    .waitFor()
  const { alert: now } = await service.graphql('query($id: ID!) { alert(id: $id) { status verdict } }', {
    id: alert.id,
  })
  assert.deepEqual(now, { status: 'RESOLVED', verdict: 'TRUE_POSITIVE' })
}

/** How long after the service told an alert's change the page shows it. */
async function measureLag(service, page, measure) {
  const raised = new Map()
  const stop = followAlerts(service, (change, at) => {
    if (change.change === 'OPENED' && ['MEDIUM', 'HIGH', 'CRITICAL'].includes(change.alert.severity))
      raised.set(change.alert.id, at)
  })
  await page.evaluate(() => {
    globalThis.seen = new Map()
    const look = () => {
      for (const link of document.querySelectorAll('a[href^="/alerts/"]')) {
        const id = link.getAttribute('href').split('/').at(-1)
        if (!globalThis.seen.has(id)) globalThis.seen.set(id, Date.now())
      }
    }
    look()
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true })
  })
  await until('an alert is raised while we look', () => raised.size > 0, { within: 180_000 })
  const [id, at] = raised.entries().next().value
  const shown = await until('it is on the screen', () => page.evaluate((wanted) => globalThis.seen.get(wanted), id), {
    within: 10_000,
    every: 50,
  })
  stop()
  measure('alert on screen after it was told to subscribers', `${Math.max(shown - at, 0)} ms`)
}

/** The worst open alert a playbook is made for. */
async function attackWithPlaybook(service) {
  const query =
    '{ alerts(filter: { status: [OPEN], minSeverity: HIGH }, first: 20) { edges { node { id title playbooks { matches playbook { id enabled } } } } } }'
  return until(
    'an alert with a playbook made for it',
    async () => {
      const { alerts } = await service.graphql(query)
      return alerts.edges
        .map((edge) => edge.node)
        .find((node) => node.playbooks.some((one) => one.matches && !one.playbook.enabled))
    },
    { within: 180_000, every: 1_000 },
  )
}

/** Dry run, start, approve whatever it asks, until the service says that it is contained. */
async function contain({ service, open, page, alert }) {
  const respond = page.getByRole('region', { name: 'Respond', exact: true })
  await respond.getByRole('button', { name: 'Dry run' }).first().click()
  await respond
    .getByRole('region', { name: 'Dry run' })
    .getByText(/Touches/)
    .waitFor()
  await checkPage(page, 'a dry run')
  await respond.getByRole('button', { name: 'Run playbook' }).first().click()
  const colleagues = []
  await until(
    'the alert is contained',
    async () => {
      const { alert: now } = await service.graphql(
        'query($id: ID!) { alert(id: $id) { containedAt runs { state approvals { state mayDecide decisions { by } } } } }',
        { id: alert.id },
      )
      const ended = now.runs.find((run) => ['FAILED', 'REFUSED', 'CANCELLED'].includes(run.state))
      assert.ok(!ended, `the run ended as ${ended?.state}`)
      const asked = now.runs.flatMap((run) => run.approvals).find((one) => one.state === 'PENDING')
      // Who started the run may not agree to it where four eyes are wanted: colleagues do, each in a browser of their own.
      if (asked) await approve(asked.mayDecide ? page : await colleague(asked.decisions.length))
      return now.containedAt
    },
    { within: 60_000 },
  )
  await page.getByText('contained', { exact: true }).first().waitFor()
  await respond.getByText('done', { exact: true }).first().waitFor()

  async function colleague(nth) {
    colleagues[nth] ??= await (async () => {
      const { createToken } = await service.graphql(
        'mutation($name: String!) { createToken(name: $name, role: ANALYST) { secret } }',
        { name: `colleague ${nth + 1}` },
      )
      const { page: other } = await open()
      await signIn(other, createToken.secret)
      await other.goto(`/alerts/${alert.id}`)
      return other
    })()
    return colleagues[nth]
  }
}

/** Agrees to what a run asks for, if it still asks. */
async function approve(page) {
  const respond = page.getByRole('region', { name: 'Respond', exact: true })
  const button = respond.getByRole('button', { name: 'Approve', exact: true }).first()
  await button.waitFor()
  await button.click()
  const dialog = page.getByRole('dialog', { name: 'Approve this' })
  await dialog.getByRole('button', { name: 'Approve' }).click()
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
}
