import { Modal, NativeSelect, Switch, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useChange } from '@/api/graphql'
import type { ChannelKind, PayloadFormat, Severity } from '@/api/schema.gen'
import { FormDialog } from '@/ui/FormDialog'
import { SecretBox } from '@/ui/SecretBox'
import { Word } from '@/ui/words'
import type { ChannelRow } from './Channels'
import { CreateChannelDocument, UpdateChannelDocument } from './settings.gql'

const KINDS: ChannelKind[] = ['WEBHOOK', 'EMAIL', 'SLACK', 'TEAMS', 'PAGERDUTY', 'SPLUNK', 'FILE']
const FORMATS: PayloadFormat[] = ['NATIVE', 'CLOUDEVENTS', 'OCSF']
const LEVELS: Severity[] = ['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL']

const TARGETS: Record<ChannelKind, { label: string; example: string; token?: string }> = {
  WEBHOOK: { label: 'Address', example: 'https://hooks.example.com/riskgraph' },
  EMAIL: { label: 'Mail addresses', example: 'risk@example.com, soc@example.com' },
  SLACK: { label: 'Webhook address', example: 'https://hooks.slack.com/services/...' },
  TEAMS: { label: 'Workflow address', example: 'https://prod-01.westeurope.logic.azure.com/...' },
  PAGERDUTY: { label: 'Address', example: 'https://events.pagerduty.com/v2/enqueue', token: 'Routing key' },
  SPLUNK: { label: 'Collector address', example: 'https://splunk.example.com:8088', token: 'HEC token' },
  FILE: { label: 'File name', example: 'alerts.ndjson' },
}

/** Sets a channel up, or changes it. A new webhook's secret is shown once. */
export function ChannelForm({ channel, onClose }: { channel: ChannelRow | null; onClose: () => void }) {
  const [name, setName] = useState(channel?.name ?? '')
  const [kind, setKind] = useState<ChannelKind>(channel?.kind ?? 'WEBHOOK')
  const [format, setFormat] = useState<PayloadFormat>(channel?.format ?? 'NATIVE')
  const [target, setTarget] = useState('')
  const [token, setToken] = useState('')
  const [minSeverity, setMinSeverity] = useState<Severity>(channel?.filter.minSeverity ?? 'MEDIUM')
  const [includeMuted, setIncludeMuted] = useState(channel?.filter.includeMuted ?? false)
  const [digest, setDigest] = useState(channel?.digest ?? '')
  const [wait, setWait] = useState(String(channel?.groupWaitSeconds ?? 0))
  const [secret, setSecret] = useState<string | null>(null)
  const create = useChange(CreateChannelDocument, {
    touches: ['channels'],
    done: 'Channel made',
    onDone: (result) => (result.createChannel.secret ? setSecret(result.createChannel.secret) : onClose()),
  })
  const update = useChange(UpdateChannelDocument, { touches: ['channels'], done: 'Saved', onDone: onClose })
  const words = TARGETS[kind]
  const isReady =
    name.trim() !== '' && target.trim() !== '' && (!words.token || token.trim() !== '' || channel !== null)
  const { changes = [], detectors = [], techniques = [], vendor, entity } = channel?.filter ?? {}
  const input = {
    name: name.trim(),
    kind,
    format,
    target: target.trim(),
    token: token.trim() || null,
    filter: {
      minSeverity,
      includeMuted,
      changes,
      detectors,
      techniques,
      vendor: vendor?.id ?? null,
      entity: entity?.id ?? null,
    },
    digest: digest.trim() || null,
    timeZone: digest.trim() ? (channel?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone) : null,
    groupWaitSeconds: Number(wait) || 0,
    repeatSeconds: channel?.repeatSeconds ?? null,
  }
  if (secret) {
    return (
      <Modal opened onClose={onClose} title="The channel's secret">
        <SecretBox label="The signing secret" secret={secret} />
      </Modal>
    )
  }
  return (
    <FormDialog
      title={channel ? `Edit ${channel.name}` : 'New channel'}
      verb={channel ? 'Save' : 'Make channel'}
      isBusy={create.isPending || update.isPending}
      isReady={isReady}
      onClose={onClose}
      onSubmit={() => (channel ? update.mutate({ id: channel.id, input }) : create.mutate({ input }))}
    >
      <TextInput data-autofocus label="Name" value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <NativeSelect
        label="Kind"
        value={kind}
        disabled={channel !== null}
        data={KINDS.map((value) => ({ value, label: Word(value) }))}
        onChange={(event) => setKind(event.currentTarget.value as ChannelKind)}
      />
      <TextInput
        label={words.label}
        description={channel ? `Now ${channel.target}. Give it again: it is kept secret.` : undefined}
        placeholder={words.example}
        value={target}
        onChange={(event) => setTarget(event.currentTarget.value)}
      />
      {words.token && (
        <TextInput
          label={words.token}
          type="password"
          autoComplete="off"
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
        />
      )}
      {(kind === 'WEBHOOK' || kind === 'FILE') && (
        <NativeSelect
          label="Format"
          value={format}
          data={FORMATS.map((value) => ({ value, label: Word(value) }))}
          onChange={(event) => setFormat(event.currentTarget.value as PayloadFormat)}
        />
      )}
      <NativeSelect
        label="Send alerts from"
        value={minSeverity}
        data={LEVELS.map((value) => ({ value, label: `${Word(value)} and worse` }))}
        onChange={(event) => setMinSeverity(event.currentTarget.value as Severity)}
      />
      <Switch
        label="Send muted alerts too"
        checked={includeMuted}
        onChange={(event) => setIncludeMuted(event.currentTarget.checked)}
      />
      <TextInput
        label="Digest"
        description="Cron, to send one summary at set times instead of each alert. Empty sends each."
        placeholder="0 8 * * *"
        value={digest}
        onChange={(event) => setDigest(event.currentTarget.value)}
      />
      <TextInput
        label="Wait for more, seconds"
        description="Alerts within this time go out together."
        inputMode="numeric"
        value={wait}
        onChange={(event) => setWait(event.currentTarget.value)}
      />
    </FormDialog>
  )
}
