import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ask } from '@/api/graphql'
import { PageHead, Panel } from '@/ui/Page'
import { Severity } from '@/ui/Severity'
import { Answered, Empty } from '@/ui/States'
import { StateOf } from '@/ui/Status'
import { ApprovalList } from './ApprovalList'
import { RunDocument } from './playbooks.gql'
import { RunCard } from './RunCard'

const route = getRouteApi('/runs/$id')

/** One run of a playbook, as it goes. */
export function RunPage() {
  const { id } = route.useParams()
  const query = useQuery(ask('runs', RunDocument, { id }))
  return (
    <Answered query={query} rows={8}>
      {({ run }) => {
        if (!run) {
          return (
            <Empty title="No such run" icon="play">
              See{' '}
              <Link to="/playbooks" search={{ tab: 'runs' }}>
                all runs
              </Link>
              .
            </Empty>
          )
        }
        const decided = run.approvals.filter((one) => one.state !== 'PENDING')
        return (
          <>
            <PageHead
              title={run.playbook.title}
              above={
                <Link to="/playbooks" search={{ tab: 'runs' }}>
                  Runs
                </Link>
              }
              marks={<StateOf state={run.state} />}
              lead={
                run.alert && (
                  <span className="row">
                    for <Severity level={run.alert.severity} />
                    <Link to="/alerts/$id" params={{ id: run.alert.id }}>
                      {run.alert.title}
                    </Link>
                  </span>
                )
              }
            />
            <div className="columns">
              <Panel title="Steps" aside={`version ${run.version} of the playbook`}>
                <RunCard run={run} head={null} />
              </Panel>
              <Panel title="Decisions" flush>
                {decided.length ? <ApprovalList approvals={decided} /> : <Empty title="None so far" />}
              </Panel>
            </div>
          </>
        )
      }}
    </Answered>
  )
}
