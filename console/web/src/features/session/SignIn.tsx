import { Button, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { ApiError, adviceFor } from '@/api/errors'
import { signIn } from '@/api/session'
import classes from './SignIn.module.css'

/** Exchanges a token for a session. The token itself is not kept by the page. */
export function SignIn({ onDone, note }: { onDone: () => void; note?: string | null }) {
  const [token, setToken] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const [isBusy, setBusy] = useState(false)
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    setProblem(null)
    try {
      await signIn({ token: token.trim() })
      onDone()
    } catch (error) {
      const isRefused = error instanceof ApiError && error.code === 'UNAUTHENTICATED'
      setProblem(
        isRefused
          ? 'This token is not known, or it was revoked or has expired.'
          : `${(error as Error).message} ${adviceFor(error)}`,
      )
    } finally {
      setBusy(false)
    }
  }
  return (
    <main className={classes.page}>
      <form className={classes.card} onSubmit={submit}>
        <div className={classes.brand}>
          <img src="/assets/mark.svg" alt="" width="34" height="34" />
          <h1>riskgraph</h1>
        </div>
        <p className="dim">Sign in with an access token. The first start of the service printed one for an admin.</p>
        {note && (
          <p role="alert" className={classes.note}>
            {note}
          </p>
        )}
        <TextInput
          label="Access token"
          placeholder="rg_..."
          type="password"
          size="sm"
          autoComplete="current-password"
          value={token}
          error={problem}
          onChange={(event) => setToken(event.currentTarget.value)}
          autoFocus
          required
          withAsterisk={false}
        />
        <Button type="submit" size="sm" loading={isBusy} disabled={!token.trim()}>
          Sign in
        </Button>
        <details>
          <summary>I have no token</summary>
          <p className="dim">
            Ask an admin for one, or on the machine of the service: <code>riskgraph token create --role analyst</code>
          </p>
        </details>
      </form>
    </main>
  )
}
