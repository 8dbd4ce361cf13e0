// A person at a browser: signs in, looks, and complains about what a person would complain about.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { SIZES } from './browser.mjs'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const GRAVE = ['serious', 'critical']

/** Opens a page of its own; what the browser complains about is kept in `complaints`. */
export async function visit(browser, base, { size = 'desktop', scheme = 'light' } = {}) {
  const context = await browser.newContext({
    baseURL: base,
    viewport: SIZES[size],
    colorScheme: scheme,
    reducedMotion: 'reduce',
    isMobile: size === 'phone',
    hasTouch: size === 'phone',
  })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  const complaints = []
  page.on('pageerror', (error) => complaints.push(`error on the page: ${error.message}`))
  page.on('console', (message) => {
    const text = message.text()
    // Asking who is signed in before anybody is, and a wrong token, are answered 401: the browser logs that.
    if (message.type() === 'error' && !text.includes('401')) complaints.push(text)
  })
  return { page, context, complaints, close: () => context.close() }
}

export async function signIn(page, token, path = '/') {
  await page.goto(path)
  await page.getByLabel('Access token').fill(token)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('main').waitFor()
  await page.getByRole('button', { name: /^Signed in as/ }).waitFor()
}

/** No serious or critical finding of axe on what is shown now, in both colour schemes; and nothing to scroll sideways. */
export async function checkPage(page, what) {
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme })
    await page.waitForFunction((scheme) => document.documentElement.dataset.mantineColorScheme === scheme, colorScheme)
    await page.evaluate(axe)
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }))
    const grave = violations.filter((one) => GRAVE.includes(one.impact))
    const told = grave.map(
      (one) =>
        `${one.id}: ${one.help}\n    ${one.nodes
          .slice(0, 3)
          .map((node) => `${node.html.slice(0, 160)} ${node.any?.[0]?.message ?? ''}`)
          .join('\n    ')}`,
    )
    assert.deepEqual(told, [], `${what}, ${colorScheme}`)
  }
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
  assert.ok(content <= window, `${what} is ${content} px wide in a window of ${window} px`)
}

/** A table's rows as text. */
export const rowsOf = (page, label) => page.getByRole('table', { name: label }).getByRole('row')
