import { Button, Modal } from '@mantine/core'
import type { ReactNode } from 'react'

interface ConfirmProps {
  title: string
  verb: string
  isBusy?: boolean
  /** What will happen. */
  children: ReactNode
  onConfirm: () => void
  onClose: () => void
}

/** Asks once before something that is hard to take back. */
export function ConfirmDialog({ title, verb, isBusy, children, onConfirm, onClose }: ConfirmProps) {
  return (
    <Modal opened onClose={onClose} title={title}>
      <div className="stack">
        <div>{children}</div>
        <div className="row">
          <Button color="red" loading={isBusy} onClick={onConfirm}>
            {verb}
          </Button>
          <Button variant="default" onClick={onClose} data-autofocus>
            Cancel
          </Button>
        </div>
      </div>
    </Modal>
  )
}
