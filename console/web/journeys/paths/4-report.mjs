import assert from 'node:assert/strict'
import { checkPage, rowsOf, signIn } from '../visitor.mjs'

export const title = 'a report is scheduled, made, opened and verified'

export default async function walk({ service, open }) {
  const { page, context } = await open()
  await signIn(page, service.token, '/reports?tab=schedules')
  await page.getByRole('button', { name: 'New schedule' }).click()
  const plan = page.getByRole('dialog', { name: 'New schedule' })
  await plan.getByLabel('Name').fill('Monday review')
  await plan.getByLabel('Time zone').fill('Europe/Berlin')
  await checkPage(page, 'the schedule dialog')
  await plan.getByRole('button', { name: 'Make schedule' }).click()
  await rowsOf(page, 'Schedules').filter({ hasText: 'Monday review' }).getByText(/^in /).waitFor()
  const { reportSchedules } = await service.graphql(
    '{ reportSchedules(first: 10) { edges { node { name cron timeZone nextAt enabled } } } }',
  )
  const made = reportSchedules.edges.map((edge) => edge.node).find((one) => one.name === 'Monday review')
  assert.equal(made.timeZone, 'Europe/Berlin')
  assert.ok(Date.parse(made.nextAt) > Date.now(), made.nextAt)

  await page.getByRole('button', { name: 'Make a report' }).click()
  await page.getByRole('dialog', { name: 'Make a report' }).getByRole('button', { name: 'Make it' }).click()
  const report = page.getByRole('dialog').filter({ hasText: 'Files' })
  await report.getByRole('link', { name: 'Open report' }).waitFor()
  await checkPage(page, 'a report')
  await report.getByRole('button', { name: 'Verify now' }).click()
  await report.getByText('Valid: every file is as it was signed').waitFor()

  const [opened] = await Promise.all([
    context.waitForEvent('page'),
    report.getByRole('link', { name: 'Open report' }).click(),
  ])
  await opened.waitForLoadState()
  assert.ok(await opened.getByRole('heading').first().textContent(), 'the report has a heading')
  assert.ok(opened.url().includes('/reports/'), opened.url())
  await opened.close()

  await report.getByText('opens with an account only').waitFor()
  const { vendors } = await service.graphql('{ vendors(first: 1) { edges { node { id } } } }')
  const { makeReport } = await service.graphql('mutation($input: ReportInput!) { makeReport(input: $input) { id } }', {
    input: { kind: 'VENDOR', vendor: vendors.edges[0].node.id },
  })
  await page.goto(`${service.base}/reports?open=${makeReport.id}`)
  await report.getByRole('button', { name: 'Make a link' }).click()
  const url = await report.getByText(/\/shared\//).textContent()
  const stranger = await open()
  const answer = await stranger.page.goto(url)
  assert.equal(answer.status(), 200)
}
