import { Button, Textarea } from '@mantine/core'
import { useState } from 'react'
import { useChange } from '@/api/graphql'
import { Action } from '@/ui/Action'
import { Panel } from '@/ui/Page'
import { plural } from '@/ui/words'
import { ImportVendorsDocument, type ImportVendorsMutation } from './settings.gql'

const EXAMPLE = `name,domains,tier,owner,integrations
Coralport AB,coralport.example,HIGH,logistics,coralport-erp`

/** Takes a list of vendors. Those that are there already are brought up to date. */
export function VendorImport() {
  const [csv, setCsv] = useState('')
  const [result, setResult] = useState<ImportVendorsMutation['importVendors'] | null>(null)
  const load = useChange(ImportVendorsDocument, {
    touches: ['vendors', 'overview'],
    onDone: (answer) => setResult(answer.importVendors),
  })
  const read = async (file: File | undefined) => {
    if (file) setCsv(await file.text())
  }
  return (
    <Panel title="Import vendors" aside="CSV with a head line">
      <div className="stack">
        <p className="dim">
          One vendor a line. Columns: name, domains (several with a space between), tier, owner, integrations. Each new
          vendor is assessed at once.
        </p>
        <div className="row">
          <Button component="label" variant="default">
            Choose a file
            <input
              type="file"
              accept=".csv,text/csv"
              className="hidden-visually"
              onChange={(event) => void read(event.currentTarget.files?.[0])}
            />
          </Button>
          <span className="dim small">or paste:</span>
        </div>
        <Textarea
          aria-label="CSV"
          placeholder={EXAMPLE}
          minRows={8}
          maxRows={20}
          styles={{ input: { fontFamily: 'var(--mono)' } }}
          value={csv}
          onChange={(event) => setCsv(event.currentTarget.value)}
        />
        <div>
          <Action
            needs="ADMINISTER"
            unless={csv.trim() ? null : 'Choose a file or paste lines first.'}
            variant="filled"
            loading={load.isPending}
            onClick={() => load.mutate({ csv })}
          >
            Import
          </Action>
        </div>
        {result && (
          <div role="status" className="stack tight">
            <p>
              {plural(result.added, 'vendor')} added, {result.updated} updated, {result.unchanged} unchanged,{' '}
              {result.rejected.length} rejected.
            </p>
            <ul>
              {result.rejected.map((one) => (
                <li key={`${one.line} ${one.reason}`}>
                  Line {one.line}: {one.reason} <span className="dim small">({one.code})</span>
                </li>
              ))}
            </ul>
          </div>
        )}
      </div>
    </Panel>
  )
}
