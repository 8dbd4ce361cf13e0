import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { ApiError } from '@/api/errors'
import { onLostSession, signIn, takeLinkCode } from '@/api/session'
import { meQuery } from '@/features/session/me'
import { SignIn } from '@/features/session/SignIn'
import { Failed } from '@/ui/States'
import { Shell } from './Shell'

const linkCode = takeLinkCode()
const entering: Promise<string | null> = linkCode
  ? signIn({ code: linkCode }).then(
      () => null,
      () => 'This link was used already or is too old. Sign in with a token instead.',
    )
  : Promise.resolve(null)

/** The page for who is signed in; else the way to sign in. */
export function Root() {
  const cache = useQueryClient()
  const [note, setNote] = useState<string | null | undefined>(linkCode ? undefined : null)
  const me = useQuery({ ...meQuery, enabled: note !== undefined })
  useEffect(() => {
    void entering.then(setNote)
  }, [])
  useEffect(
    () =>
      onLostSession(() => {
        if (!cache.getQueryData(meQuery.queryKey)) return
        // What the last person saw must not stay for the next one.
        cache.removeQueries({ predicate: (query) => query.queryKey[0] !== meQuery.queryKey[0] })
        void cache.resetQueries({ queryKey: meQuery.queryKey })
      }),
    [cache],
  )
  if (me.data) return <Shell />
  if (me.error && !(me.error instanceof ApiError && me.error.code === 'UNAUTHENTICATED')) {
    return <Failed error={me.error} retry={() => void me.refetch()} />
  }
  if (me.error) return <SignIn note={note} onDone={() => void me.refetch()} />
  return null
}
