import { Button, Modal, Textarea, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useChange } from '@/api/graphql'
import { useMay } from '@/features/session/me'
import { ImportPlaybookDocument, SavePlaybookDocument } from './playbooks.gql'

interface EditorProps {
  /** Text is TOML when written here, CACAO JSON when imported. */
  manner: 'new' | 'edit' | 'import'
  text: string
  onClose: () => void
  onSaved: (id: string) => void
}

const TITLES = { new: 'New playbook', edit: 'Edit playbook', import: 'Import a CACAO 2.0 playbook' }

/** A playbook's text. The service checks it and says what is wrong; every save is a new version. */
export function PlaybookEditor({ manner, text: first, onClose, onSaved }: EditorProps) {
  const { why } = useMay('ADMINISTER')
  const [text, setText] = useState(first)
  const [note, setNote] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const save = useChange(SavePlaybookDocument, {
    touches: ['playbooks'],
    done: (result) => `Saved as version ${result.savePlaybook.version}`,
    onDone: (result) => onSaved(result.savePlaybook.id),
  })
  const take = useChange(ImportPlaybookDocument, {
    touches: ['playbooks'],
    done: 'Imported',
    onDone: (result) => onSaved(result.importPlaybook.id),
  })
  const onError = (error: Error) => setProblem(error.message)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setProblem(null)
    if (manner !== 'import') return save.mutate({ text, note: note.trim() || null }, { onError })
    try {
      take.mutate({ cacao: JSON.parse(text) }, { onError })
    } catch (error) {
      setProblem(`This is not JSON: ${(error as Error).message}`)
    }
  }
  return (
    <Modal opened onClose={onClose} title={TITLES[manner]} size="xl">
      <form className="stack" onSubmit={submit}>
        {why && <p role="alert">{why}</p>}
        <Textarea
          data-autofocus
          label={manner === 'import' ? 'CACAO JSON' : 'TOML'}
          value={text}
          error={problem}
          minRows={14}
          maxRows={26}
          styles={{ input: { fontFamily: 'var(--mono)' } }}
          spellCheck={false}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        {manner !== 'import' && (
          <TextInput label="What changed?" value={note} onChange={(event) => setNote(event.currentTarget.value)} />
        )}
        <div className="row">
          <Button
            type="submit"
            loading={save.isPending || take.isPending}
            disabled={text.trim() === '' || why !== null}
          >
            {manner === 'import' ? 'Import' : 'Save as a new version'}
          </Button>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </form>
    </Modal>
  )
}
