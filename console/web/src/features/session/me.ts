import { useQuery } from '@tanstack/react-query'
import { ask } from '@/api/graphql'
import type { Capability, Role } from '@/api/schema.gen'
import { word } from '@/ui/words'
import { MeDocument } from './session.gql'

/** Who has what, to name the roles that may. The service decides; this only words the reason. */
const HOLDERS: Record<Capability, Role[]> = {
  INGEST: ['INGEST', 'ADMIN'],
  READ: ['READER', 'ANALYST', 'ADMIN'],
  OBSERVE: ['READER', 'ANALYST', 'ADMIN'],
  TRIAGE: ['ANALYST', 'ADMIN'],
  RESPOND: ['ANALYST', 'ADMIN'],
  APPROVE: ['ANALYST', 'ADMIN'],
  ADMINISTER: ['ADMIN'],
}

const ACTS: Record<Capability, string> = {
  INGEST: 'send events',
  READ: 'read',
  OBSERVE: 'read metrics',
  TRIAGE: 'change alerts, cases and findings',
  RESPOND: 'run playbooks',
  APPROVE: 'decide approvals',
  ADMINISTER: 'change settings and vendors',
}

export const meQuery = { ...ask('me', MeDocument, {}), staleTime: Number.POSITIVE_INFINITY, retry: false }

export function useMe() {
  return useQuery(meQuery).data?.me
}

/** Whether the signed-in role may, and if not, why: in words for a person. */
export function useMay(capability: Capability | undefined): { may: boolean; why: string | null } {
  const me = useMe()
  if (!capability || !me || me.capabilities.includes(capability)) return { may: true, why: null }
  const holders = HOLDERS[capability].map(word).join(' or ')
  return { may: false, why: `Your role, ${word(me.role)}, may not ${ACTS[capability]}: that takes ${holders}.` }
}
