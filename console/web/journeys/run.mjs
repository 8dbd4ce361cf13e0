// Runs the journeys: real pages in real headless Chromium, against a real `riskgraph demo`.
//   node journeys/run.mjs [name ...]
import { mkdirSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { openBrowser } from './browser.mjs'
import { startService } from './service.mjs'
import { visit } from './visitor.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const out = join(here, 'out')
const wanted = process.argv.slice(2)

const names = readdirSync(join(here, 'paths'))
  .filter((name) => name.endsWith('.mjs') && (wanted.length === 0 || wanted.some((one) => name.includes(one))))
  .sort()
mkdirSync(out, { recursive: true })
const service = await startService()
const browser = await openBrowser()
const measured = {}
let failed = 0

for (const name of names) {
  const { default: walk, title } = await import(pathToFileURL(join(here, 'paths', name)))
  const visits = []
  const open = async (options) => {
    const one = await visit(browser, service.base, options)
    visits.push(one)
    return one
  }
  const began = Date.now()
  try {
    await walk({ service, open, measure: (what, value) => Object.assign(measured, { [what]: value }) })
    const complaints = visits.flatMap((one) => one.complaints)
    if (complaints.length) throw new Error(`the browser complained:\n  ${[...new Set(complaints)].join('\n  ')}`)
    console.log(`ok   ${title} (${((Date.now() - began) / 1000).toFixed(1)} s)`)
  } catch (error) {
    failed += 1
    console.log(`FAIL ${title}\n${error.stack ?? error}`)
    for (const [index, { page, complaints }] of visits.entries()) {
      const picture = join(out, `${name.replace('.mjs', '')}-${index}.png`)
      await page.screenshot({ path: picture, fullPage: true }).catch(() => {})
      console.log(
        `     see ${picture} at ${page.url()}${complaints.length ? `\n     ${complaints.join('\n     ')}` : ''}`,
      )
    }
  }
  for (const one of visits) await one.close()
}

await browser.close()
await service.stop()
for (const [what, value] of Object.entries(measured)) console.log(`     ${what}: ${value}`)
console.log(failed ? `${failed} of ${names.length} journeys failed` : `all ${names.length} journeys passed`)
process.exitCode = failed ? 1 : 0
