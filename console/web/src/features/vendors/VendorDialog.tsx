import { NativeSelect, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useChange } from '@/api/graphql'
import type { VendorTier } from '@/api/schema.gen'
import { useMay } from '@/features/session/me'
import { FormDialog } from '@/ui/FormDialog'
import { Word } from '@/ui/words'
import { AddVendorDocument, UpdateVendorDocument } from './vendors.gql'

interface VendorDialogProps {
  /** The vendor to change; a new one without it. */
  vendor?: {
    id: string
    name: string
    domains: string[]
    tier: VendorTier
    owner: string | null
    integrations: Array<{ name: string }>
  }
  onClose: () => void
  onSaved: (id: string) => void
}

const TIERS: VendorTier[] = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW']
const split = (text: string) => text.split(/[\s,;]+/).filter(Boolean)

/** What a person tells of a vendor. */
export function VendorDialog({ vendor, onClose, onSaved }: VendorDialogProps) {
  const { why } = useMay('ADMINISTER')
  const [name, setName] = useState(vendor?.name ?? '')
  const [domains, setDomains] = useState(vendor?.domains.join(', ') ?? '')
  const [tier, setTier] = useState<VendorTier>(vendor?.tier ?? 'MEDIUM')
  const [owner, setOwner] = useState(vendor?.owner ?? '')
  const [integrations, setIntegrations] = useState(vendor?.integrations.map((one) => one.name).join(', ') ?? '')
  const add = useChange(AddVendorDocument, {
    touches: ['vendors', 'overview'],
    done: 'Added; its first assessment is on its way',
    onDone: (result) => onSaved(result.addVendor.id),
  })
  const update = useChange(UpdateVendorDocument, {
    touches: ['vendors', 'overview'],
    done: 'Saved',
    onDone: (result) => onSaved(result.updateVendor.id),
  })
  const input = {
    name: name.trim(),
    domains: split(domains),
    tier,
    owner: owner.trim() || null,
    integrations: split(integrations),
  }
  const submit = () => (vendor ? update.mutate({ id: vendor.id, input }) : add.mutate({ input }))
  return (
    <FormDialog
      title={vendor ? `Edit ${vendor.name}` : 'Add a vendor'}
      verb={vendor ? 'Save' : 'Add and assess'}
      isBusy={add.isPending || update.isPending}
      isReady={!why && input.name !== '' && input.domains.length > 0}
      onClose={onClose}
      onSubmit={submit}
    >
      {why && <p role="alert">{why}</p>}
      <TextInput data-autofocus label="Name" value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <TextInput
        label="Domains"
        description="The main one first; more with a comma between."
        placeholder="example.com"
        value={domains}
        onChange={(event) => setDomains(event.currentTarget.value)}
      />
      <NativeSelect
        label="Tier"
        description="How much the shop depends on it."
        value={tier}
        data={TIERS.map((value) => ({ value, label: Word(value) }))}
        onChange={(event) => setTier(event.currentTarget.value as VendorTier)}
      />
      <TextInput
        label="Owner"
        description="Who in the shop answers for it."
        value={owner}
        onChange={(event) => setOwner(event.currentTarget.value)}
      />
      <TextInput
        label="Integrations"
        description="Names of its API connections. What is left out is found by name and domain."
        value={integrations}
        onChange={(event) => setIntegrations(event.currentTarget.value)}
      />
    </FormDialog>
  )
}
