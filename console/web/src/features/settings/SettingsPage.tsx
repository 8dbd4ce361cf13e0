import { Tabs } from '@mantine/core'
import { getRouteApi } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Capability } from '@/api/schema.gen'
import { useMay } from '@/features/session/me'
import { PageHead } from '@/ui/Page'
import { Empty } from '@/ui/States'
import { Audit } from './Audit'
import { Channels } from './Channels'
import { Silences } from './Silences'
import { Tokens } from './Tokens'
import { VendorImport } from './VendorImport'

const route = getRouteApi('/settings')

/** What is set up once: where alerts go, what is silenced, who may do what, and what was done. */
export function SettingsPage() {
  const { section = 'channels' } = route.useSearch()
  const navigate = route.useNavigate()
  return (
    <>
      <PageHead title="Settings" />
      <Tabs
        value={section}
        keepMounted={false}
        onChange={(next) => void navigate({ search: { section: next as typeof section }, replace: true })}
      >
        <Tabs.List mb="sm">
          <Tabs.Tab value="channels">Channels</Tabs.Tab>
          <Tabs.Tab value="silences">Silences</Tabs.Tab>
          <Tabs.Tab value="import">Vendor import</Tabs.Tab>
          <Tabs.Tab value="tokens">Tokens</Tabs.Tab>
          <Tabs.Tab value="audit">Audit</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="channels">
          <Channels />
        </Tabs.Panel>
        <Tabs.Panel value="silences">
          <Silences />
        </Tabs.Panel>
        <Tabs.Panel value="import">
          <VendorImport />
        </Tabs.Panel>
        <Tabs.Panel value="tokens">
          <Only needs="ADMINISTER">
            <Tokens />
          </Only>
        </Tabs.Panel>
        <Tabs.Panel value="audit">
          <Only needs="ADMINISTER">
            <Audit />
          </Only>
        </Tabs.Panel>
      </Tabs>
    </>
  )
}

/** A part that a role may not even read says so. */
function Only({ needs, children }: { needs: Capability; children: ReactNode }) {
  const { why } = useMay(needs)
  if (!why) return <>{children}</>
  return (
    <Empty title="Not for your role" icon="lock">
      {why}
    </Empty>
  )
}
