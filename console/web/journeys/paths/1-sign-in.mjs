import assert from 'node:assert/strict'
import { checkPage, signIn } from '../visitor.mjs'

export const title = 'sign in by a link and by a token, stay signed in, sign out'

export default async function walk({ service, open, measure }) {
  const guest = await open()
  await guest.page.goto('/')
  await guest.page.getByLabel('Access token').waitFor()
  await checkPage(guest.page, 'the sign-in page')
  await guest.page.getByLabel('Access token').fill('rg_nonsense')
  await guest.page.keyboard.press('Enter')
  await guest.page.getByText('This token is not known').waitFor()

  // The first-run link signs in once, and leaves nothing in the address.
  const newcomer = await open()
  await newcomer.page.goto(service.link)
  await newcomer.page.getByRole('heading', { name: 'Overview' }).waitFor()
  assert.ok(!newcomer.page.url().includes('code='), newcomer.page.url())
  await newcomer.page.reload()
  await newcomer.page.getByRole('heading', { name: 'Overview' }).waitFor()
  const [cookie] = await newcomer.context.cookies()
  assert.ok(cookie.httpOnly && cookie.sameSite === 'Strict', JSON.stringify(cookie))
  assert.equal(
    await newcomer.page.evaluate(
      () =>
        localStorage.length +
        sessionStorage.length -
        Object.keys(localStorage).filter((key) => key.startsWith('mantine')).length -
        Object.keys(sessionStorage).filter((key) => key.startsWith('tsr')).length,
    ),
    0,
    'nothing secret is stored',
  )
  const late = await open()
  await late.page.goto(service.link)
  await late.page.getByText('This link was used already').waitFor()

  const { page } = await open()
  await signIn(page, service.token, '/alerts?severity=HIGH')
  assert.ok(page.url().endsWith('/alerts?severity=HIGH'), 'the address stays as it was asked for')
  await page.getByText('Live', { exact: true }).waitFor()

  // The whole page again, until it is drawn and a key opens the list of shortcuts. Told, not judged: the machine may be busy.
  const times = []
  for (let round = 0; round < 5; round += 1) {
    await page.goto('about:blank')
    const began = Date.now()
    await page.goto(`${service.base}/`, { waitUntil: 'commit' })
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
    times.push(Date.now() - began)
    await page.keyboard.press('Escape')
  }
  times.sort((a, b) => a - b)
  measure('page interactive, median of 5', `${times[2]} ms`)

  await page.getByRole('button', { name: /^Signed in as/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByLabel('Access token').waitFor()
  await page.reload()
  await page.getByLabel('Access token').waitFor()
}
