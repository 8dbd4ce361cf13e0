import { NativeSelect, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, useChange } from '@/api/graphql'
import type { Role } from '@/api/schema.gen'
import { Action } from '@/ui/Action'
import { ConfirmDialog } from '@/ui/ConfirmDialog'
import { type Column, DataTable } from '@/ui/DataTable'
import { FormDialog } from '@/ui/FormDialog'
import { Panel } from '@/ui/Page'
import { SecretBox } from '@/ui/SecretBox'
import { Answered } from '@/ui/States'
import { Status } from '@/ui/Status'
import { Time } from '@/ui/Time'
import { Word } from '@/ui/words'
import { CreateTokenDocument, RevokeTokenDocument, TokensDocument, type TokensQuery } from './settings.gql'

type Row = TokensQuery['tokens'][number]

const ROLES: Array<{ value: Role; label: string }> = [
  { value: 'READER', label: 'Reader: reads everything, changes nothing' },
  { value: 'ANALYST', label: 'Analyst: works alerts, runs playbooks' },
  { value: 'ADMIN', label: 'Admin: everything' },
  { value: 'INGEST', label: 'Ingest: only sends events' },
]
const DAY_MS = 86_400_000

/** Who may do what. A token's secret is shown once, when it is made. */
export function Tokens() {
  const query = useQuery(ask('tokens', TokensDocument, {}))
  const [isNew, setNew] = useState(false)
  const [secret, setSecret] = useState<string | null>(null)
  const [revoked, setRevoked] = useState<Row | null>(null)
  const revoke = useChange(RevokeTokenDocument, {
    touches: ['tokens'],
    done: 'Revoked',
    onDone: () => setRevoked(null),
  })
  const columns: ReadonlyArray<Column<Row>> = [
    { key: 'name', head: 'Name', wide: true, cell: (one) => <strong>{one.name}</strong> },
    { key: 'role', head: 'Role', cell: (one) => Word(one.role) },
    {
      key: 'used',
      head: 'Last used',
      from: 'tablet',
      align: 'end',
      cell: (one) => (one.lastUsedAt ? <Time at={one.lastUsedAt} /> : <span className="dim">never</span>),
    },
    {
      key: 'expires',
      head: 'Expires',
      from: 'tablet',
      align: 'end',
      cell: (one) => (one.expiresAt ? <Time at={one.expiresAt} /> : <span className="dim">never</span>),
    },
    {
      key: 'state',
      head: 'State',
      cell: (one) =>
        one.revokedAt ? (
          <Status>revoked</Status>
        ) : (
          <Action needs="ADMINISTER" size="compact-xs" onClick={() => setRevoked(one)}>
            Revoke
          </Action>
        ),
    },
  ]
  return (
    <Panel
      title="Tokens"
      flush
      aside={
        <Action needs="ADMINISTER" onClick={() => setNew(true)}>
          New token
        </Action>
      }
    >
      {secret && <SecretBox label="The token" secret={secret} />}
      <Answered query={query}>
        {({ tokens }) => <DataTable label="Tokens" rows={tokens} columns={columns} rowKey={(one) => one.id} />}
      </Answered>
      {isNew && (
        <NewToken
          onClose={() => setNew(false)}
          onMade={(made) => {
            setSecret(made)
            setNew(false)
          }}
        />
      )}
      {revoked && (
        <ConfirmDialog
          title={`Revoke ${revoked.name}?`}
          verb="Revoke"
          isBusy={revoke.isPending}
          onConfirm={() => revoke.mutate({ id: revoked.id })}
          onClose={() => setRevoked(null)}
        >
          It stops working at once, also in sessions that were opened with it. This cannot be taken back.
        </ConfirmDialog>
      )}
    </Panel>
  )
}

function NewToken({ onClose, onMade }: { onClose: () => void; onMade: (secret: string) => void }) {
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('READER')
  const [days, setDays] = useState('90')
  const create = useChange(CreateTokenDocument, {
    touches: ['tokens'],
    onDone: (result) => onMade(result.createToken.secret),
  })
  const expiresAt = days ? new Date(Date.now() + Number(days) * DAY_MS).toISOString() : null
  return (
    <FormDialog
      title="New token"
      verb="Make token"
      isBusy={create.isPending}
      isReady={name.trim() !== ''}
      onClose={onClose}
      onSubmit={() => create.mutate({ name: name.trim(), role, expiresAt })}
    >
      <TextInput
        data-autofocus
        label="Name"
        description="Who or what uses it."
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <NativeSelect
        label="Role"
        value={role}
        data={ROLES}
        onChange={(event) => setRole(event.currentTarget.value as Role)}
      />
      <NativeSelect
        label="Works"
        value={days}
        data={[
          { value: '7', label: 'for a week' },
          { value: '90', label: 'for 90 days' },
          { value: '', label: 'until revoked' },
        ]}
        onChange={(event) => setDays(event.currentTarget.value)}
      />
    </FormDialog>
  )
}
