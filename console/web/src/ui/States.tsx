import { Button, Skeleton } from '@mantine/core'
import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ApiError, adviceFor } from '@/api/errors'
import { Icon, type IconName } from './icons'
import classes from './States.module.css'

interface EmptyProps {
  title: string
  /** What to do about it, or why it is fine. */
  children?: ReactNode
  icon?: IconName
}

/** Nothing to show, and what that means. */
export function Empty({ title, children, icon = 'check' }: EmptyProps) {
  return (
    <div className={classes.state}>
      <span className={classes.icon}>
        <Icon name={icon} size={18} />
      </span>
      <div>
        <p className={classes.title}>{title}</p>
        {children && <div className="dim">{children}</div>}
      </div>
    </div>
  )
}

/** Bars in the place of rows that are on their way. */
export function Loading({ rows = 4, label = 'Loading' }: { rows?: number; label?: string }) {
  return (
    <div className={classes.loading} role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the bars are all alike
        <Skeleton key={row} height={14} width={`${90 - ((row * 17) % 40)}%`} radius="sm" />
      ))}
    </div>
  )
}

/** What went wrong, and what to do. */
export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  return (
    <div className={classes.state} role="alert">
      <span className={classes.bad}>
        <Icon name="alerts" size={18} />
      </span>
      <div className="stack tight">
        <p className={classes.title}>{error instanceof ApiError ? error.message : 'This part could not be shown.'}</p>
        <p className="dim">{adviceFor(error)}</p>
        {retry && (
          <div>
            <Button variant="default" onClick={retry}>
              Try again
            </Button>
          </div>
        )}
      </div>
    </div>
  )
}

interface AnsweredProps<Data> {
  query: UseQueryResult<Data>
  rows?: number
  children: (data: Data) => ReactNode
}

/** Shows what a query answered, or why there is nothing yet. Old data stays while new data is on its way. */
export function Answered<Data>({ query, rows, children }: AnsweredProps<Data>) {
  if (query.data !== undefined) return <>{children(query.data)}</>
  if (query.error) return <Failed error={query.error} retry={() => void query.refetch()} />
  return <Loading rows={rows} />
}
