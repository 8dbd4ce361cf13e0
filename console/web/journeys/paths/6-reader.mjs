import assert from 'node:assert/strict'
import { until } from '../service.mjs'
import { checkPage, rowsOf, signIn } from '../visitor.mjs'

export const title = 'a reader sees no action it may not take, and why'

export default async function walk({ service, open }) {
  const { createToken } = await service.graphql('mutation { createToken(name: "a reader", role: READER) { secret } }')
  const { page } = await open()
  await signIn(page, createToken.secret)
  const { alerts } = await until('an alert', async () => {
    const answer = await service.graphql('{ alerts(first: 1, filter: { status: [OPEN] }) { edges { node { id } } } }')
    return answer.alerts.edges.length && answer
  })
  const id = alerts.edges[0].node.id
  const sent = []
  page.on('request', (request) => {
    if (request.postData()?.includes('"mutation')) sent.push(request.postData())
  })

  await page.goto(`/alerts/${id}`)
  for (const name of ['Acknowledge', 'Assign to me', 'Resolve', 'Add to a case'])
    await isRefused(page, new RegExp(`^${name}`))
  await page.getByText('Your role, reader, may not change alerts').first().waitFor()
  await page.keyboard.press('a')
  await page
    .getByRole('alert')
    .getByText(/may not/)
    .first()
    .waitFor()
  await checkPage(page, 'an alert as a reader')

  await page.goto('/vendors')
  await rowsOf(page, 'Vendors').nth(1).waitFor()
  await isRefused(page, /^Add vendor/)
  await page.goto('/settings?section=tokens')
  await page.getByText('Not for your role').waitFor()
  await checkPage(page, 'the settings as a reader')
  for (const path of [
    '/cases',
    '/playbooks',
    '/playbooks?tab=switches',
    '/reports?tab=schedules',
    '/settings',
    '/settings?section=silences',
    '/settings?section=import',
  ]) {
    await page.goto(path)
    await page.getByRole('heading', { level: 1 }).waitFor()
    const buttons = page.getByRole('main').getByRole('button', { name: /: Your role, reader, may not/ })
    await buttons.first().waitFor()
    assert.equal(await buttons.first().getAttribute('aria-disabled'), 'true', path)
    await checkPage(page, `${path} as a reader`)
  }
  assert.deepEqual(sent, [], 'no change was even asked for')
}

/** Cannot be pressed, says why when asked, and does nothing when pressed anyway. */
async function isRefused(page, name) {
  const button = page.getByRole('main').getByRole('button', { name }).first()
  assert.equal(await button.getAttribute('aria-disabled'), 'true', `${name}`)
  await button.focus()
  await page.getByRole('tooltip').filter({ hasText: 'may not' }).first().waitFor()
  await button.click({ force: true })
  assert.equal(await page.getByRole('dialog').count(), 0)
}
