import { Tabs } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { ask, useChange } from '@/api/graphql'
import { Action } from '@/ui/Action'
import { ConfirmDialog } from '@/ui/ConfirmDialog'
import { Grade } from '@/ui/Grade'
import { PageHead } from '@/ui/Page'
import { RiskScore } from '@/ui/Severity'
import { Answered, Empty } from '@/ui/States'
import { Time } from '@/ui/Time'
import { percent, word } from '@/ui/words'
import { AssessmentProgress, useAssessment } from './Assessment'
import { Dependencies } from './Dependencies'
import { Findings } from './Findings'
import { Posture } from './Posture'
import { VendorAlerts } from './VendorAlerts'
import { VendorDialog } from './VendorDialog'
import { AssessVendorDocument, RemoveVendorDocument, VendorDocument, type VendorQuery } from './vendors.gql'

const route = getRouteApi('/vendors/$id')

export type VendorData = NonNullable<VendorQuery['vendor']>

/** One vendor: how it stands, why, what to ask it to fix, and who it depends on itself. */
export function VendorPage() {
  const { id } = route.useParams()
  const query = useQuery(ask('vendors', VendorDocument, { id }))
  return (
    <Answered query={query} rows={10}>
      {({ vendor }) =>
        vendor ? (
          <VendorView key={vendor.id} vendor={vendor} />
        ) : (
          <Empty title="No such vendor" icon="vendors">
            It may have been removed. See <Link to="/vendors">all vendors</Link>.
          </Empty>
        )
      }
    </Answered>
  )
}

function VendorView({ vendor }: { vendor: VendorData }) {
  const { tab = 'posture', finding } = route.useSearch()
  const navigate = route.useNavigate()
  const progress = useAssessment(vendor.id)
  const { posture } = vendor
  return (
    <>
      <PageHead
        title={vendor.name}
        above={<Link to="/vendors">Vendors</Link>}
        marks={<RiskScore score={vendor.risk.score} level={vendor.risk.level} />}
        lead={
          <span>
            {vendor.domains.join(', ')} · {word(vendor.tier)} tier ·{' '}
            {vendor.owner ? `owned by ${vendor.owner}` : 'no owner'} ·{' '}
            {posture ? (
              <>
                assessed <Time at={posture.assessedAt} />, {percent(posture.coverage)} of the checks could be judged
              </>
            ) : (
              'not assessed yet'
            )}
          </span>
        }
        actions={
          <span className="row">
            <VendorActions vendor={vendor} isAssessing={progress !== null} />
            {posture && <Grade grade={posture.grade} size="large" />}
          </span>
        }
      />
      {progress && <AssessmentProgress progress={progress} />}
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(next) => void navigate({ search: { tab: next as typeof tab }, replace: true })}
      >
        <Tabs.List mb="sm">
          <Tabs.Tab value="posture">Posture</Tabs.Tab>
          <Tabs.Tab value="findings">Findings</Tabs.Tab>
          <Tabs.Tab value="dependencies">Dependencies</Tabs.Tab>
          <Tabs.Tab value="alerts">Alerts and risk</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="posture">
          <Posture vendor={vendor} />
        </Tabs.Panel>
        <Tabs.Panel value="findings">
          <Findings vendorId={vendor.id} chosen={finding} />
        </Tabs.Panel>
        <Tabs.Panel value="dependencies">
          <Dependencies vendor={vendor} />
        </Tabs.Panel>
        <Tabs.Panel value="alerts">
          <VendorAlerts vendor={vendor} />
        </Tabs.Panel>
      </Tabs>
    </>
  )
}

function VendorActions({ vendor, isAssessing }: { vendor: VendorData; isAssessing: boolean }) {
  const navigate = route.useNavigate()
  const [dialog, setDialog] = useState<'edit' | 'remove' | null>(null)
  const assess = useChange(AssessVendorDocument, {
    touches: ['vendors'],
    done: (result) => (result.assessVendor ? 'Assessment queued' : 'An assessment waits or runs already'),
  })
  const remove = useChange(RemoveVendorDocument, {
    touches: ['vendors', 'overview'],
    done: 'Removed',
    onDone: () => void navigate({ to: '/vendors' }),
  })
  return (
    <>
      <Action
        needs="TRIAGE"
        unless={isAssessing ? 'It is being assessed right now.' : null}
        loading={assess.isPending}
        onClick={() => assess.mutate({ id: vendor.id })}
      >
        Assess now
      </Action>
      <Action needs="ADMINISTER" onClick={() => setDialog('edit')}>
        Edit
      </Action>
      <Action needs="ADMINISTER" onClick={() => setDialog('remove')}>
        Remove
      </Action>
      {dialog === 'edit' && (
        <VendorDialog vendor={vendor} onClose={() => setDialog(null)} onSaved={() => setDialog(null)} />
      )}
      {dialog === 'remove' && (
        <ConfirmDialog
          title={`Remove ${vendor.name}?`}
          verb="Remove"
          isBusy={remove.isPending}
          onConfirm={() => remove.mutate({ id: vendor.id })}
          onClose={() => setDialog(null)}
        >
          It is no longer assessed, and leaves the portfolio and the reports. What happened with it stays in the alerts.
        </ConfirmDialog>
      )}
    </>
  )
}
