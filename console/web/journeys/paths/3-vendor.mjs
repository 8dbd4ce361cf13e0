import assert from 'node:assert/strict'
import { checkPage, rowsOf, signIn } from '../visitor.mjs'

export const title = 'a vendor is added, assessed, and its worst finding read'

export default async function walk({ service, open }) {
  // One of the vendors of the small internet leaves the portfolio, so that adding it finds a real site.
  const { vendors } = await service.graphql(
    '{ vendors(first: 20, maxGrade: D) { edges { node { id name domains tier } } } }',
  )
  const known = vendors.edges[0].node
  await service.graphql('mutation($id: ID!) { removeVendor(id: $id) }', { id: known.id })

  const { page } = await open()
  await signIn(page, service.token, '/vendors')
  await rowsOf(page, 'Vendors').nth(1).waitFor()
  await checkPage(page, 'the portfolio')
  await page.keyboard.press('n')
  const dialog = page.getByRole('dialog', { name: 'Add a vendor' })
  await dialog.getByLabel('Name', { exact: true }).fill(known.name)
  await dialog.getByLabel('Domains').fill(known.domains.join(', '))
  await dialog.getByLabel('Owner').fill('procurement')
  await checkPage(page, 'the vendor dialog')
  await dialog.getByRole('button', { name: 'Add and assess' }).click()

  await page.getByRole('heading', { level: 1, name: known.name }).waitFor()
  const waterfall = page.getByRole('region', { name: 'From 100 to the score' })
  await waterfall.waitFor({ timeout: 60_000 })
  await checkPage(page, 'a posture')

  await page.getByRole('tab', { name: 'Findings' }).click()
  const worst = page.getByRole('region', { name: 'Findings' }).locator('details[open]').first()
  for (const part of ['What to do', 'What was seen']) await worst.getByRole('heading', { name: part }).waitFor()
  const { vendor } = await service.graphql(
    'query($name: String!) { vendor(name: $name) { findings(status: [OPEN], first: 100) { edges { node { title result severity } } } } }',
    { name: known.name },
  )
  const levels = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFO']
  const failed = vendor.findings.edges.map((edge) => edge.node).filter((one) => one.result === 'FAIL')
  const gravest = Math.min(...failed.map((one) => levels.indexOf(one.severity)))
  const candidates = failed.filter((one) => levels.indexOf(one.severity) === gravest).map((one) => one.title)
  const shown = await worst.locator('summary').textContent()
  assert.ok(
    candidates.some((one) => shown.includes(one)),
    `${shown} is none of ${candidates}`,
  )
  await checkPage(page, 'the findings')
  for (const tab of ['Dependencies', 'Alerts and risk']) {
    await page.getByRole('tab', { name: tab }).click()
    await page.getByRole('tabpanel').getByRole('region').first().waitFor()
    await checkPage(page, tab)
  }

  // The same on a phone.
  const phone = await open({ size: 'phone', scheme: 'dark' })
  await signIn(phone.page, service.token, '/vendors')
  await rowsOf(phone.page, 'Vendors').nth(1).waitFor()
  await checkPage(phone.page, 'the portfolio on a phone')
  await phone.page.goto('/integrations')
  await rowsOf(phone.page, 'Integrations').nth(1).getByRole('link').first().click()
  await phone.page.getByText('Month', { exact: true }).click()
  await phone.page.getByRole('img', { name: /Calls over time/ }).waitFor()
  await checkPage(phone.page, 'an integration on a phone')
}
