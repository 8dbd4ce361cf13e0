import { notifications } from '@mantine/notifications'
import { ApiError, adviceFor } from '@/api/errors'

const look = { withBorder: true, closeButtonProps: { 'aria-label': 'Close' } }

export function notifyDone(message: string): void {
  notifications.show({ message, color: 'teal', autoClose: 4_000, ...look })
}

export function notifyError(error: unknown): void {
  const message = error instanceof ApiError ? error.message : 'Something went wrong on this page.'
  notifications.show({ title: message, message: adviceFor(error), color: 'red', autoClose: 10_000, ...look })
}

/** A key was pressed for what the role may not do. */
export function notifyRefused(why: string): void {
  notifications.show({ message: why, color: 'yellow', autoClose: 6_000, ...look })
}
