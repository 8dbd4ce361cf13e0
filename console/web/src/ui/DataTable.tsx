import { Button } from '@mantine/core'
import type { MouseEvent, ReactNode } from 'react'
import { useRef } from 'react'
import classes from './DataTable.module.css'
import { type Shortcut, useKeys } from './keys'

export interface Column<Row> {
  key: string
  head: string
  cell: (row: Row) => ReactNode
  /** From which width on the column is shown; always when not given. */
  from?: 'tablet' | 'desktop'
  align?: 'end'
  /** The column that takes what is left of the width. */
  wide?: boolean
  /** A column of text that may break into lines. */
  wrap?: boolean
}

interface TableProps<Row> {
  /** What the rows are, for screen readers and the list of shortcuts: `Alerts`. */
  label: string
  rows: readonly Row[]
  columns: readonly Column<Row>[]
  rowKey: (row: Row) => string
  /** Keys for the row that has the focus. */
  rowKeys?: ReadonlyArray<{ keys: string; does: string; run: (row: Row) => void }>
  /** Shown under the rows when there are more. */
  more?: { load: () => void; isLoading: boolean } | null
}

/** Marks the link a row is opened by; `j` and `k` go from one to the next. */
export const rowLink = { 'data-row-link': '' }

/** Rows to read quickly: j and k move, Enter opens, a click anywhere in a row opens it too. */
export function DataTable<Row>({ label, rows, columns, rowKey, rowKeys = [], more }: TableProps<Row>) {
  const table = useRef<HTMLTableElement>(null)
  const links = () => [...(table.current?.querySelectorAll<HTMLElement>('[data-row-link]') ?? [])]
  const step = (by: number) => {
    const all = links()
    const now = all.findIndex((link) => link.closest('tr')?.contains(document.activeElement))
    const next = all[now < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(now + by, 0), all.length - 1)]
    next?.focus()
    next?.closest('tr')?.scrollIntoView({ block: 'nearest' })
  }
  const focused = (): Row | undefined => {
    const row = document.activeElement?.closest('tr')
    return row && table.current?.contains(row) ? rows[Number(row.dataset.index)] : undefined
  }
  const shortcuts: Shortcut[] = [
    { keys: 'j', does: 'Next row', run: () => step(1) },
    { keys: 'k', does: 'Row before', run: () => step(-1) },
    ...rowKeys.map(({ keys, does, run }) => ({
      keys,
      does,
      run: () => {
        const row = focused()
        if (row) run(row)
      },
    })),
  ]
  useKeys(label, shortcuts)
  return (
    <div className={classes.room}>
      <table ref={table} className={classes.table} aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column.key}
                scope="col"
                data-from={column.from}
                data-align={column.align}
                data-wide={column.wide || undefined}
              >
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={rowKey(row)} data-index={index} onClick={openRow}>
              {columns.map((column) => (
                <td
                  key={column.key}
                  data-from={column.from}
                  data-align={column.align}
                  data-wide={column.wide || undefined}
                  data-wrap={column.wrap || undefined}
                >
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {more && (
        <div className={classes.more}>
          <Button variant="default" onClick={more.load} loading={more.isLoading}>
            Show more
          </Button>
        </div>
      )}
    </div>
  )
}

function openRow(event: MouseEvent<HTMLTableRowElement>) {
  const target = event.target as HTMLElement
  if (target.closest('a, button, input, select, label') || getSelection()?.toString()) return
  event.currentTarget.querySelector<HTMLElement>('a[data-row-link], button[data-row-link]')?.click()
}
