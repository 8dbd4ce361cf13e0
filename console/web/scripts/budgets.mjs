// Fails when the built console grew past what a page may weigh. Sizes are of the .gz twins, in KB of 1000 bytes.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = fileURLToPath(new URL('../dist/', import.meta.url))
const assets = readdirSync(join(dist, 'assets'))
const gz = (name) => statSync(join(dist, 'assets', `${name}.gz`)).size / 1000
const sum = (names) => names.reduce((total, name) => total + gz(name), 0)

// What the page names itself is fetched before anything shows: the entry and what it imports.
const page = readFileSync(join(dist, 'index.html'), 'utf8')
const entry = [...page.matchAll(/\/assets\/([^"]+\.(?:js|css))"/g)].map(([, name]) => name)
const chunks = (start) => assets.filter((name) => name.startsWith(start) && name.endsWith('.js'))
const raw = (folder) =>
  readdirSync(folder, { withFileTypes: true })
    .map((one) =>
      one.isDirectory()
        ? raw(join(folder, one.name))
        : /\.(br|gz)$/.test(one.name)
          ? 0
          : statSync(join(folder, one.name)).size,
    )
    .reduce((total, size) => total + size, 0)

const budgets = [
  ['entry scripts', sum(entry.filter((name) => name.endsWith('.js'))), 260],
  ['entry styles', sum(entry.filter((name) => name.endsWith('.css'))), 45],
  ['chart chunk', sum(chunks('echarts')), 260],
  ['graph chunk', sum(chunks('sigma')) + sum(chunks('layout')), 60],
  ['whole console, not compressed', raw(dist) / 1000, 3000],
]

let failed = false
for (const [what, kb, most] of budgets) {
  const fits = kb <= most
  failed ||= !fits
  console.log(`${fits ? 'ok  ' : 'OVER'} ${what}: ${kb.toFixed(1)} of ${most} KB`)
}
process.exitCode = failed ? 1 : 0
