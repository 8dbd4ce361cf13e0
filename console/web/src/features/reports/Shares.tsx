import { NativeSelect } from '@mantine/core'
import { useState } from 'react'
import { useChange } from '@/api/graphql'
import { Action } from '@/ui/Action'
import { SecretBox } from '@/ui/SecretBox'
import { Status } from '@/ui/Status'
import { Time } from '@/ui/Time'
import { plural } from '@/ui/words'
import { type ReportQuery, RevokeShareDocument, ShareReportDocument } from './reports.gql'

const DAY_MS = 86_400_000

/** Links that open this one report without an account, until they expire. */
export function Shares({ report }: { report: NonNullable<ReportQuery['report']> }) {
  const [days, setDays] = useState('7')
  const [url, setUrl] = useState<string | null>(null)
  const share = useChange(ShareReportDocument, {
    touches: ['reports'],
    onDone: (result) => setUrl(result.shareReport.url),
  })
  const revoke = useChange(RevokeShareDocument, { touches: ['reports'], done: 'The link no longer works' })
  if (report.kind !== 'VENDOR') {
    return (
      <p className="dim small">
        This report tells of the shop, so it opens with an account only. A vendor's own report can be shared by a link.
      </p>
    )
  }
  return (
    <section className="stack tight" aria-label="Sharing">
      <h3>Share without an account</h3>
      <div className="row">
        <NativeSelect
          aria-label="The link works for"
          value={days}
          data={[
            { value: '1', label: 'for one day' },
            { value: '7', label: 'for a week' },
            { value: '30', label: 'for 30 days' },
          ]}
          onChange={(event) => setDays(event.currentTarget.value)}
        />
        <Action
          needs="TRIAGE"
          loading={share.isPending}
          onClick={() =>
            share.mutate({ id: report.id, expiresAt: new Date(Date.now() + Number(days) * DAY_MS).toISOString() })
          }
        >
          Make a link
        </Action>
      </div>
      {url && <SecretBox label="The link" secret={new URL(url, location.origin).href} />}
      {report.shares.length > 0 && (
        <ul className="stack tight">
          {report.shares.map((one) => (
            <li key={one.id} className="row small">
              <span className="grow">
                By {one.createdBy} <Time at={one.createdAt} />, opened {plural(one.opened, 'time')}, ends{' '}
                <Time at={one.expiresAt} />
              </span>
              {one.revoked ? (
                <Status>revoked</Status>
              ) : (
                <Action needs="TRIAGE" size="compact-xs" onClick={() => revoke.mutate({ id: one.id })}>
                  Revoke
                </Action>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
