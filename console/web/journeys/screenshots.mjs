// Takes the pictures of the README and the documentation: docs/images/*.png, from a demo of its own.
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openBrowser } from './browser.mjs'
import { shrink } from './png.mjs'
import { startService, until } from './service.mjs'
import { signIn, visit } from './visitor.mjs'

const folder = join(dirname(fileURLToPath(import.meta.url)), '../../../docs/images')
mkdirSync(folder, { recursive: true })

const service = await startService()
const browser = await openBrowser()
const ask = service.graphql

// The story is worth a picture once the day of attacks is well under way.
await until(
  'several attacks were found',
  async () => {
    const { alerts } = await ask('{ alerts(filter: { minSeverity: CRITICAL }, first: 10) { edges { node { id } } } }')
    return alerts.edges.length >= 4
  },
  { within: 240_000, every: 1_000 },
)

const alert = await worst()
const vendor = (await ask('{ vendors(maxGrade: D, first: 20) { edges { node { id risk { score } } } } }')).vendors.edges
  .map((edge) => edge.node)
  .sort((a, b) => b.risk.score - a.risk.score)[0]
const integration = (
  await ask('{ integrations(first: 20) { edges { node { id risk { score } } } } }')
).integrations.edges
  .map((edge) => edge.node)
  .sort((a, b) => b.risk.score - a.risk.score)[0]
const middle = (await ask('query($id: ID!) { vendor(id: $id) { entity { id } } }', { id: vendor.id })).vendor.entity.id

const pictures = [
  ['overview', '/', {}],
  ['overview-dark', '/', { scheme: 'dark' }],
  ['alert', `/alerts/${alert}`, {}],
  ['alert-phone', `/alerts/${alert}`, { size: 'phone', scheme: 'dark' }],
  ['vendor', `/vendors/${vendor.id}`, {}],
  ['vendors', '/vendors?order=risk', {}],
  ['integration', `/integrations/${integration.id}`, {}],
  ['graph', `/graph?id=${middle}&show=blast`, { scheme: 'dark' }],
  ['playbooks', '/playbooks', {}],
  ['reports', '/reports', {}],
]
for (const [name, path, options] of pictures) {
  const { page, close } = await visit(browser, service.base, options)
  await signIn(page, service.token, path)
  await page.waitForLoadState('networkidle').catch(() => {})
  await page.waitForTimeout(1_500)
  const file = join(folder, `${name}.png`)
  writeFileSync(file, shrink(await page.screenshot()))
  console.log(`${name}.png ${(statSync(file).size / 1000).toFixed(0)} KB`)
  await close()
}
await browser.close()
await service.stop()

/** The worst alert with the richest path. */
async function worst() {
  const { alerts } = await ask(
    '{ alerts(filter: { minSeverity: HIGH }, first: 30) { edges { node { id score path { id } } } } }',
  )
  const rank = (one) => Math.min(one.path.length, 8) * 10 + one.score
  return alerts.edges.map((edge) => edge.node).sort((a, b) => rank(b) - rank(a))[0].id
}
