import type { AlertRowFragment } from '@/api/fragments.gql'
import { useChange } from '@/api/graphql'
import { useMay, useMe } from '@/features/session/me'
import { DataTable } from '@/ui/DataTable'
import { notifyRefused } from '@/ui/notify'
import { alertColumns } from './AlertCells'
import { AcknowledgeDocument, AssignDocument } from './alerts.gql'

interface AlertTableProps {
  rows: readonly AlertRowFragment[]
  more?: { load: () => void; isLoading: boolean } | null
}

/** Rows of alerts with the keys that work on them. */
export function AlertTable({ rows, more }: AlertTableProps) {
  const me = useMe()
  const { why } = useMay('TRIAGE')
  const acknowledge = useChange(AcknowledgeDocument, { touches: ['alerts', 'alert', 'overview'], done: 'Acknowledged' })
  const assign = useChange(AssignDocument, { touches: ['alerts', 'alert', 'overview'], done: 'Assigned to you' })
  return (
    <DataTable
      label="Alerts"
      rows={rows}
      columns={alertColumns}
      rowKey={(alert) => alert.id}
      more={more}
      rowKeys={[
        {
          keys: 'a',
          does: 'Acknowledge',
          run: (alert) => (why ? notifyRefused(why) : acknowledge.mutate({ id: alert.id })),
        },
        {
          keys: 'm',
          does: 'Assign to me',
          run: (alert) => (why ? notifyRefused(why) : assign.mutate({ id: alert.id, assignee: me?.name ?? 'me' })),
        },
      ]}
    />
  )
}
