import { Switch, Tooltip } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { ask, useChange } from '@/api/graphql'
import { Layered } from '@/charts/Layered'
import { useMay } from '@/features/session/me'
import { Action } from '@/ui/Action'
import { DataTable } from '@/ui/DataTable'
import { Facts } from '@/ui/Facts'
import { PageHead, Panel } from '@/ui/Page'
import { Answered, Empty } from '@/ui/States'
import { ClockTime } from '@/ui/Time'
import { duration, word } from '@/ui/words'
import classes from './Playbook.module.css'
import { PlaybookEditor } from './PlaybookEditor'
import { runColumns } from './PlaybooksPage'
import { PlaybookDocument, type PlaybookQuery, SetPlaybookEnabledDocument } from './playbooks.gql'

const route = getRouteApi('/playbooks/$id')

type PlaybookData = NonNullable<PlaybookQuery['playbook']>

/** One playbook: when it starts, what it does, what it did. */
export function PlaybookPage() {
  const { id } = route.useParams()
  const query = useQuery(ask('playbooks', PlaybookDocument, { id }))
  return (
    <Answered query={query} rows={8}>
      {({ playbook }) =>
        playbook ? (
          <PlaybookView playbook={playbook} />
        ) : (
          <Empty title="No such playbook" icon="playbooks">
            See <Link to="/playbooks">all playbooks</Link>.
          </Empty>
        )
      }
    </Answered>
  )
}

function PlaybookView({ playbook }: { playbook: PlaybookData }) {
  const [isEditing, setEditing] = useState(false)
  const runs = playbook.runs.edges.map((edge) => edge.node)
  return (
    <>
      <PageHead
        title={playbook.title}
        above={<Link to="/playbooks">Playbooks</Link>}
        lead={playbook.description}
        actions={
          <span className="row">
            <Enabled playbook={playbook} />
            <Action
              needs="READ"
              onClick={() => download(`${playbook.name}.cacao.json`, JSON.stringify(playbook.cacao, null, 2))}
            >
              Export CACAO
            </Action>
            <Action needs="ADMINISTER" onClick={() => setEditing(true)}>
              Edit
            </Action>
          </span>
        }
      />
      <div className="columns">
        <div className="stack loose">
          <Steps playbook={playbook} />
          <Panel title="Runs" flush>
            {runs.length ? (
              <DataTable label="Runs" rows={runs} columns={runColumns} rowKey={(run) => run.id} />
            ) : (
              <Empty title="It has not run yet" icon="play" />
            )}
          </Panel>
          <Panel title="Text" aside={`version ${playbook.version}`}>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls must be reachable by keyboard */}
            <pre className={classes.text} tabIndex={0}>
              {playbook.text}
            </pre>
          </Panel>
        </div>
        <div className="stack loose">
          <Panel title="Facts">
            <Facts
              facts={[
                ['Name', <code key="name">{playbook.name}</code>],
                ['Starts when', playbook.trigger],
                ['Source', word(playbook.source)],
                ['Runs', playbook.stats.runs],
                ['Contained', playbook.stats.contained],
                ['Undone', playbook.stats.undone],
                [
                  'Median time',
                  playbook.stats.medianTimeToContainSeconds === null
                    ? null
                    : `${duration(playbook.stats.medianTimeToContainSeconds)} to contain`,
                ],
              ]}
            />
          </Panel>
          <Panel title="Versions">
            <ul className="stack tight">
              {playbook.versions.map((version) => (
                <li key={version.version}>
                  <strong>{version.version}</strong> by {version.by}, <ClockTime at={version.at} />
                  {version.note && <p className="dim">{version.note}</p>}
                </li>
              ))}
            </ul>
          </Panel>
        </div>
      </div>
      {isEditing && (
        <PlaybookEditor
          manner="edit"
          text={playbook.text}
          onClose={() => setEditing(false)}
          onSaved={() => setEditing(false)}
        />
      )}
    </>
  )
}

function Enabled({ playbook }: { playbook: PlaybookData }) {
  const { why } = useMay('ADMINISTER')
  const set = useChange(SetPlaybookEnabledDocument, {
    touches: ['playbooks'],
    done: (result) => (result.setPlaybookEnabled.enabled ? 'Starts by itself now' : 'Starts by hand only now'),
  })
  return (
    <Tooltip label={why ?? 'On: it starts by itself when its trigger fits. Off: only by hand from an alert.'}>
      <Switch
        label="Starts by itself"
        checked={playbook.enabled}
        disabled={why !== null || set.isPending}
        onChange={(event) => set.mutate({ id: playbook.id, enabled: event.currentTarget.checked })}
      />
    </Tooltip>
  )
}

/** The steps drawn, and the same as a list. */
function Steps({ playbook }: { playbook: PlaybookData }) {
  const { nodes, edges } = useMemo(
    () => ({
      nodes: playbook.steps.map((step) => ({ id: step.id, kind: step.kind, label: step.title })),
      edges: playbook.steps.flatMap((step) => step.children.map((child) => ({ from: step.id, to: child, label: '' }))),
    }),
    [playbook.steps],
  )
  return (
    <Panel title="Steps">
      <div className="stack">
        <Layered label={`Steps of ${playbook.title}`} nodes={nodes} edges={edges} alike="apart" />
        <ol className="stack tight">
          {playbook.steps.map((step) => (
            <li key={step.id}>
              <strong>{step.title}</strong> <span className="dim small">{step.action ?? word(step.kind)}</span>
              <p className="dim">{step.detail}</p>
            </li>
          ))}
        </ol>
      </div>
    </Panel>
  )
}

function download(name: string, text: string) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}
