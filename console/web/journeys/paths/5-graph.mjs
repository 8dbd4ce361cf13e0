import assert from 'node:assert/strict'
import { until } from '../service.mjs'
import { checkPage, rowsOf, signIn } from '../visitor.mjs'

export const title = 'from search to path to blast radius'

export default async function walk({ service, open }) {
  const vendor = await until('a vendor that runs an integration', async () => {
    const { integrations } = await service.graphql(
      '{ integrations(first: 20) { edges { node { name keys { id name } vendor { name entity { id } } } } } }',
    )
    return integrations.edges.map((edge) => edge.node).find((one) => one.vendor && one.keys.length > 0)
  })
  const { page } = await open()
  await signIn(page, service.token)

  // Search, with a letter missing.
  await page.keyboard.press('/')
  const misspelt = vendor.vendor.name.slice(0, 3) + vendor.vendor.name.slice(4)
  await page.getByRole('combobox').fill(misspelt)
  await page.getByRole('option').filter({ hasText: vendor.vendor.name }).filter({ hasText: 'vendor' }).first().waitFor()
  await checkPage(page, 'the search')
  await page.getByRole('option').filter({ hasText: vendor.vendor.name }).filter({ hasText: 'vendor' }).first().click()
  await page.getByRole('heading', { level: 1, name: vendor.vendor.name }).waitFor()

  // Neighbourhood, as a picture and as a table.
  await page.getByRole('img', { name: /Picture of/ }).waitFor()
  await page.getByText('Finding places ...').waitFor({ state: 'hidden' })
  assert.ok(await page.locator('canvas').count(), 'the picture is drawn')
  await checkPage(page, 'the neighbourhood')
  await page.getByText('Table', { exact: true }).click()
  await rowsOf(page, 'Neighbours').nth(1).waitFor()
  await checkPage(page, 'the neighbourhood as a table')

  // Path to the key.
  await page.getByText('Path to ...', { exact: true }).click()
  await page.getByLabel('Search the target').fill(vendor.keys[0].name)
  await page
    .getByRole('list', { name: 'Targets found' })
    .getByRole('button', { name: vendor.keys[0].name, exact: true })
    .click()
  await page
    .getByRole('region', { name: `From ${vendor.vendor.name} to ${vendor.keys[0].name}` })
    .getByText('operates')
    .first()
    .waitFor()
  await page.getByText('Picture', { exact: true }).click()
  await checkPage(page, 'a path')

  // Blast radius.
  await page.getByText('Blast radius', { exact: true }).click()
  await page.getByRole('img', { name: /Picture of/ }).waitFor()
  await page.getByText('Table', { exact: true }).click()
  await rowsOf(page, 'Reached').filter({ hasText: vendor.keys[0].name }).first().waitFor()
  await checkPage(page, 'a blast radius')
  const address = page.url()
  await page.reload()
  await rowsOf(page, 'Reached').filter({ hasText: vendor.keys[0].name }).first().waitFor()
  assert.equal(page.url(), address)
}
