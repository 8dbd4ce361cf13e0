import { Button, Modal, Textarea } from '@mantine/core'
import { type ReactNode, useState } from 'react'

interface AskProps {
  title: string
  /** What will happen. */
  children?: ReactNode
  /** The question the text answers. */
  label: string
  /** What the button says. */
  verb: string
  /** Whether an empty text will do. */
  optional?: boolean
  danger?: boolean
  isBusy?: boolean
  onAnswer: (text: string) => void
  onClose: () => void
}

/** Asks for a sentence before something is done: why, what for. Ctrl+Enter sends. */
export function AskDialog({ title, children, label, verb, optional, danger, isBusy, onAnswer, onClose }: AskProps) {
  const [text, setText] = useState('')
  const isReady = optional || text.trim().length > 0
  const send = () => isReady && onAnswer(text.trim())
  return (
    <Modal opened onClose={onClose} title={title}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          send()
        }}
      >
        {children}
        <Textarea
          data-autofocus
          label={label}
          description={optional ? 'May stay empty.' : undefined}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send()
          }}
        />
        <div className="row">
          <Button type="submit" color={danger ? 'red' : undefined} loading={isBusy} disabled={!isReady}>
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
