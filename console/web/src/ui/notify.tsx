import { notifications } from '@mantine/notifications'
import { ApiError, adviceFor } from '@/api/errors'

export function notifyDone(message: string): void {
  notifications.show({ message, color: 'teal', autoClose: 4_000, withBorder: true })
}

export function notifyError(error: unknown): void {
  const message = error instanceof ApiError ? error.message : 'Something went wrong on this page.'
  notifications.show({ title: message, message: adviceFor(error), color: 'red', autoClose: 10_000, withBorder: true })
}

/** A key was pressed for what the role may not do. */
export function notifyRefused(why: string): void {
  notifications.show({ message: why, color: 'yellow', autoClose: 6_000, withBorder: true })
}
