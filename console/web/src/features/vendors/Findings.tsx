import { Textarea, TextInput } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { FindingRowFragment } from '@/api/fragments.gql'
import { askPages, useChange } from '@/api/graphql'
import type { FindingStatus } from '@/api/schema.gen'
import { Action } from '@/ui/Action'
import { Choice } from '@/ui/Filters'
import { FormDialog } from '@/ui/FormDialog'
import { Panel } from '@/ui/Page'
import { Empty, Failed, Loading } from '@/ui/States'
import { plural } from '@/ui/words'
import { FindingItem, worstFirst } from './FindingItem'
import { AcceptFindingDocument, DisputeFindingDocument, VendorFindingsDocument } from './vendors.gql'

/** What the checks found, worst first, with evidence and the fix. */
export function Findings({ vendorId, chosen }: { vendorId: string; chosen: string | undefined }) {
  const [status, setStatus] = useState<FindingStatus | 'ALL' | undefined>(chosen ? 'ALL' : undefined)
  const variables = { id: vendorId, status: status === 'ALL' ? undefined : [status ?? 'OPEN'] }
  const list = useInfiniteQuery(
    askPages('vendors', VendorFindingsDocument, variables, (result) => result.vendor?.findings.pageInfo),
  )
  const findings = list.data?.pages.flatMap((page) => page.vendor?.findings.edges.map((edge) => edge.node) ?? []) ?? []
  const failed = findings.filter((one) => one.result === 'FAIL' || one.result === 'WARN').toSorted(worstFirst)
  const others = findings.filter((one) => one.result !== 'FAIL' && one.result !== 'WARN')
  return (
    <Panel
      title="Findings"
      flush
      aside={
        <>
          {plural(failed.length, 'problem')}
          <Choice<FindingStatus | 'ALL'>
            label="Status"
            any="open"
            value={status}
            options={['RESOLVED', 'ACCEPTED', 'DISPUTED', 'ALL']}
            onChange={setStatus}
          />
        </>
      }
    >
      {list.isPending && <Loading rows={8} />}
      {list.error && <Failed error={list.error} retry={() => void list.refetch()} />}
      {list.data && failed.length === 0 && (
        <Empty title="No problems here">
          {others.length
            ? 'The checks below passed or could not be judged.'
            : 'Nothing was judged yet, or no finding has this status.'}
        </Empty>
      )}
      {failed.map((finding, index) => (
        <FindingItem
          key={finding.id}
          finding={finding}
          isOpen={chosen ? chosen === finding.id : index === 0}
          actions={<FindingActions finding={finding} />}
        />
      ))}
      {others.length > 0 && (
        <details>
          <summary>{plural(others.length, 'check')} passed or could not be judged</summary>
          {others.map((finding) => (
            <FindingItem key={finding.id} finding={finding} isOpen={chosen === finding.id} />
          ))}
        </details>
      )}
      {list.hasNextPage && (
        <Action needs="READ" onClick={() => void list.fetchNextPage()}>
          Show more
        </Action>
      )}
    </Panel>
  )
}

const QUARTER_MS = 90 * 86_400_000

/** Living with a finding until a day, or saying that it is wrong. */
function FindingActions({ finding }: { finding: FindingRowFragment }) {
  const [dialog, setDialog] = useState<'accept' | 'dispute' | null>(null)
  const [reason, setReason] = useState('')
  const [until, setUntil] = useState(() => new Date(Date.now() + QUARTER_MS).toISOString().slice(0, 10))
  const close = () => setDialog(null)
  const accept = useChange(AcceptFindingDocument, {
    touches: ['vendors', 'overview'],
    done: 'Risk accepted',
    onDone: close,
  })
  const dispute = useChange(DisputeFindingDocument, {
    touches: ['vendors', 'overview'],
    done: 'Marked as wrong',
    onDone: close,
  })
  const submit = () =>
    dialog === 'accept'
      ? accept.mutate({ id: finding.id, reason: reason.trim(), until: `${until}T00:00:00Z` })
      : dispute.mutate({ id: finding.id, reason: reason.trim() })
  return (
    <div className="row">
      <Action needs="TRIAGE" onClick={() => setDialog('accept')}>
        Accept the risk
      </Action>
      <Action needs="TRIAGE" onClick={() => setDialog('dispute')}>
        This is wrong
      </Action>
      {dialog && (
        <FormDialog
          title={dialog === 'accept' ? 'Accept this risk' : 'Dispute this finding'}
          verb={dialog === 'accept' ? 'Accept' : 'Dispute'}
          isBusy={accept.isPending || dispute.isPending}
          isReady={reason.trim() !== ''}
          onSubmit={submit}
          onClose={close}
        >
          <p>{finding.title}</p>
          <Textarea
            data-autofocus
            label="Why?"
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          {dialog === 'accept' && (
            <TextInput
              type="date"
              label="Until"
              description="Then it opens again."
              value={until}
              onChange={(event) => setUntil(event.currentTarget.value)}
            />
          )}
        </FormDialog>
      )}
    </div>
  )
}
