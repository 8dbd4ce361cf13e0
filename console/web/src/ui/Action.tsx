import { Button, type ButtonProps, Tooltip } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Capability } from '@/api/schema.gen'
import { useMay } from '@/features/session/me'

interface ActionProps extends Omit<ButtonProps, 'disabled'> {
  /** What the role must be able to do. */
  needs?: Capability
  /** Why it cannot be done now; null when it can. */
  unless?: string | null
  onClick: () => void
  children: ReactNode
}

/** A button that says why it cannot be pressed. It stays reachable, so the reason can be read by keyboard too. */
export function Action({ needs, unless, onClick, children, ...rest }: ActionProps) {
  const { why } = useMay(needs)
  const reason = why ?? unless ?? null
  const button = (
    <Button
      variant="default"
      {...rest}
      aria-disabled={reason ? true : undefined}
      data-disabled={reason ? true : undefined}
      onClick={(event) => (reason ? event.preventDefault() : onClick())}
    >
      {children}
      {reason && <span className="hidden-visually">: {reason}</span>}
    </Button>
  )
  return reason ? <Tooltip label={reason}>{button}</Tooltip> : button
}

/** One line under a group of actions that says what the role lacks; nothing when it lacks nothing. */
export function RoleNote({ needs }: { needs: Capability }) {
  const { why } = useMay(needs)
  return why ? <p className="dim small">{why}</p> : null
}
