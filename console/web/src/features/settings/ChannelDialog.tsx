import { Modal } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { askPages, useChange } from '@/api/graphql'
import { Action } from '@/ui/Action'
import { AskDialog } from '@/ui/AskDialog'
import { ConfirmDialog } from '@/ui/ConfirmDialog'
import { Facts } from '@/ui/Facts'
import { SecretBox } from '@/ui/SecretBox'
import { Failed, Loading } from '@/ui/States'
import { StateOf } from '@/ui/Status'
import { ClockTime, Time } from '@/ui/Time'
import { duration, plural, Word } from '@/ui/words'
import { ChannelForm } from './ChannelForm'
import { type ChannelRow, wants } from './Channels'
import {
  ChannelDeliveriesDocument,
  DisableChannelDocument,
  EnableChannelDocument,
  RecoverChannelDocument,
  RemoveChannelDocument,
  RetryDeliveryDocument,
  RotateChannelSecretDocument,
  TestChannelDocument,
} from './settings.gql'

type Asked = 'edit' | 'disable' | 'remove' | null
const DAY_MS = 86_400_000

/** One channel: how it is set, what it delivered, what it gave up on. */
export function ChannelDialog({ channel, onClose }: { channel: ChannelRow; onClose: () => void }) {
  const [asked, setAsked] = useState<Asked>(null)
  const [secret, setSecret] = useState<string | null>(null)
  const close = () => setAsked(null)
  const touches = { touches: ['channels'] } satisfies Partial<Parameters<typeof useChange>[1]>
  const test = useChange(TestChannelDocument, { ...touches, done: 'A test is on its way; see the deliveries' })
  const enable = useChange(EnableChannelDocument, { ...touches, done: 'It delivers again' })
  const disable = useChange(DisableChannelDocument, { ...touches, done: 'It delivers no more', onDone: close })
  const remove = useChange(RemoveChannelDocument, { ...touches, done: 'Removed', onDone: onClose })
  const rotate = useChange(RotateChannelSecretDocument, {
    ...touches,
    onDone: (result) => setSecret(result.rotateChannelSecret.secret),
  })
  const recover = useChange(RecoverChannelDocument, {
    ...touches,
    done: (result) => `${plural(result.recoverChannel, 'delivery', 'deliveries')} queued again`,
  })
  const isOn = channel.status === 'ACTIVE'
  if (asked === 'edit') return <ChannelForm channel={channel} onClose={close} />
  return (
    <Modal opened onClose={onClose} title={channel.name} size="lg">
      <div className="stack loose">
        <Facts
          facts={[
            ['Kind', Word(channel.kind)],
            ['Format', Word(channel.format)],
            ['To', channel.target],
            ['Wants', wants(channel)],
            ['Digest', channel.digest && `${channel.digest} (${channel.timeZone ?? 'UTC'})`],
            ['Waits for more', channel.groupWaitSeconds > 0 ? duration(channel.groupWaitSeconds) : null],
            ['Status', <StateOf key="status" state={channel.status} />],
            ['Disabled', channel.disabledReason],
            ['Secrets', channel.secretHints.length > 0 && channel.secretHints.join(', ')],
            [
              'Made',
              <>
                by {channel.createdBy} <Time at={channel.createdAt} />
              </>,
            ],
          ]}
        />
        <div className="row">
          <Action needs="TRIAGE" loading={test.isPending} onClick={() => test.mutate({ id: channel.id })}>
            Send a test
          </Action>
          <Action
            needs="ADMINISTER"
            loading={recover.isPending}
            onClick={() => recover.mutate({ id: channel.id, since: new Date(Date.now() - DAY_MS).toISOString() })}
          >
            Send the last day again
          </Action>
          <Action needs="ADMINISTER" onClick={() => setAsked('edit')}>
            Edit
          </Action>
          {channel.kind === 'WEBHOOK' && (
            <Action needs="ADMINISTER" loading={rotate.isPending} onClick={() => rotate.mutate({ id: channel.id })}>
              New secret
            </Action>
          )}
          <Action needs="ADMINISTER" onClick={() => (isOn ? setAsked('disable') : enable.mutate({ id: channel.id }))}>
            {isOn ? 'Disable' : 'Enable'}
          </Action>
          <Action needs="ADMINISTER" onClick={() => setAsked('remove')}>
            Remove
          </Action>
        </div>
        {secret && <SecretBox label="The new signing secret" secret={secret} />}
        <ChannelDeliveries channelId={channel.id} />
      </div>
      {asked === 'disable' && (
        <AskDialog
          title={`Disable ${channel.name}`}
          label="Why?"
          verb="Disable"
          danger
          isBusy={disable.isPending}
          onAnswer={(reason) => disable.mutate({ id: channel.id, reason })}
          onClose={close}
        />
      )}
      {asked === 'remove' && (
        <ConfirmDialog
          title={`Remove ${channel.name}?`}
          verb="Remove"
          isBusy={remove.isPending}
          onConfirm={() => remove.mutate({ id: channel.id })}
          onClose={close}
        >
          What waits to be delivered by it is dropped.
        </ConfirmDialog>
      )}
    </Modal>
  )
}

function ChannelDeliveries({ channelId }: { channelId: string }) {
  const list = useInfiniteQuery(
    askPages('channels', ChannelDeliveriesDocument, { id: channelId }, (result) => result.channel?.deliveries.pageInfo),
  )
  const retry = useChange(RetryDeliveryDocument, { touches: ['channels'], done: 'Queued again' })
  const rows = list.data?.pages.flatMap((page) => page.channel?.deliveries.edges.map((edge) => edge.node) ?? []) ?? []
  return (
    <section className="stack tight" aria-label="Deliveries">
      <h3>Deliveries</h3>
      {list.isPending && <Loading rows={3} />}
      {list.error && <Failed error={list.error} retry={() => void list.refetch()} />}
      {list.data && rows.length === 0 && (
        <p className="dim">Nothing was sent yet. Send a test to see whether it arrives.</p>
      )}
      <ul className="stack tight">
        {rows.map((one) => {
          const last = one.attempts.at(-1)
          return (
            <li key={one.id} className="row">
              <StateOf state={one.state} />
              <span className="grow wrap">
                {one.subject}
                <span className="dim small">
                  {' '}
                  <ClockTime at={one.createdAt} />
                  {last &&
                    `, ${plural(one.attempts.length, 'attempt')}, last ${last.status ?? last.error ?? 'without answer'} in ${last.durationMs} ms`}
                </span>
              </span>
              {one.state === 'DEAD' && (
                <Action needs="TRIAGE" size="compact-xs" onClick={() => retry.mutate({ id: one.id })}>
                  Try again
                </Action>
              )}
            </li>
          )
        })}
      </ul>
      {list.hasNextPage && (
        <div>
          <Action needs="READ" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            Show more
          </Action>
        </div>
      )}
    </section>
  )
}
