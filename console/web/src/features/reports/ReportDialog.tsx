import { Button, Modal } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ask } from '@/api/graphql'
import { Action } from '@/ui/Action'
import { Facts } from '@/ui/Facts'
import { Icon } from '@/ui/icons'
import { Answered, Empty } from '@/ui/States'
import { Status } from '@/ui/Status'
import { ClockTime } from '@/ui/Time'
import { bytes, Word, word } from '@/ui/words'
import classes from './Reports.module.css'
import { ReportDocument, type ReportQuery, VerifyReportDocument } from './reports.gql'
import { Shares } from './Shares'

type ReportData = NonNullable<ReportQuery['report']>

/** One report: its files, whether they are whole, and who may read it without an account. */
export function ReportDialog({ reportId, onClose }: { reportId: string; onClose: () => void }) {
  const query = useQuery(ask('reports', ReportDocument, { id: reportId }))
  return (
    <Modal opened onClose={onClose} title={query.data?.report?.title ?? 'Report'} size="lg">
      <Answered query={query} rows={5}>
        {({ report }) => (report ? <ReportView report={report} /> : <Empty title="No such report" icon="reports" />)}
      </Answered>
    </Modal>
  )
}

function ReportView({ report }: { report: ReportData }) {
  const page = report.files.find((file) => file.format === 'HTML')
  return (
    <div className="stack loose">
      <Facts
        facts={[
          ['For', Word(report.kind)],
          ['Vendor', report.vendor?.name],
          ['As of', <ClockTime key="asOf" at={report.asOf} />],
          ['Changes since', <ClockTime key="since" at={report.since} />],
          ['Made by', report.schedule?.name ?? report.createdBy],
          ['Stale input', report.stale.length ? report.stale.join('; ') : null],
        ]}
      />
      {page && (
        <div>
          <Button
            component="a"
            href={page.url}
            target="_blank"
            rel="noopener"
            leftSection={<Icon name="reports" size={14} />}
          >
            Open report
          </Button>
        </div>
      )}
      <section className="stack tight" aria-label="Files">
        <h3>Files</h3>
        <ul className={classes.files}>
          {report.files.map((file) => (
            <li key={file.format}>
              <a href={file.url} download>
                {word(file.format)}
              </a>
              <span className="dim small num">{bytes(file.bytes)}</span>
              <a href={`${file.url}.sig`} download className="small">
                signature
              </a>
              <code className={classes.hash} title={file.sha256}>
                {file.sha256}
              </code>
            </li>
          ))}
        </ul>
      </section>
      <Verification report={report} />
      <Shares report={report} />
    </div>
  )
}

/** Checks the stored files against their signatures, on the service. */
function Verification({ report }: { report: ReportData }) {
  const [isAsked, setAsked] = useState(false)
  const query = useQuery({ ...ask('reports', VerifyReportDocument, { id: report.id }), enabled: isAsked, staleTime: 0 })
  const check = () => (isAsked ? void query.refetch() : setAsked(true))
  return (
    <section className="stack tight" aria-label="Verification">
      <h3>Signature</h3>
      <p className="dim small wrap">
        By key <code>{report.keyId}</code>. Whoever has a file checks it with <code>riskgraph verify</code>.
      </p>
      <div>
        <Action needs="READ" loading={query.isFetching} onClick={check}>
          Verify now
        </Action>
      </div>
      {isAsked && (
        <Answered query={query} rows={2}>
          {({ verifyReport }) => (
            <div role="status" className="stack tight">
              <Status tone={verifyReport.valid ? 'good' : 'bad'}>
                {verifyReport.valid ? 'Valid: every file is as it was signed' : 'Not valid'}
              </Status>
              <ul>
                {verifyReport.files.map((file) => (
                  <li key={file.format} className="small">
                    {word(file.format)}: {file.valid ? 'valid' : `not valid${file.reason ? `, ${file.reason}` : ''}`}
                  </li>
                ))}
              </ul>
            </div>
          )}
        </Answered>
      )}
    </section>
  )
}
