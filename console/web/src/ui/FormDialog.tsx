import { Button, Modal } from '@mantine/core'
import type { FormEvent, ReactNode } from 'react'

interface FormProps {
  title: string
  verb: string
  isBusy: boolean
  isReady?: boolean
  onSubmit: () => void
  onClose: () => void
  children: ReactNode
}

/** A dialog that is one form. */
export function FormDialog({ title, verb, isBusy, isReady = true, onSubmit, onClose, children }: FormProps) {
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (isReady) onSubmit()
  }
  return (
    <Modal opened onClose={onClose} title={title}>
      <form className="stack" onSubmit={submit}>
        {children}
        <div className="row">
          <Button type="submit" loading={isBusy} disabled={!isReady}>
            {verb}
          </Button>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </form>
    </Modal>
  )
}
