import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import classes from './Filters.module.css'
import { Icon } from './icons'
import { useKeys } from './keys'
import { Word } from './words'

/** A row of filters; what is chosen lives in the address. */
export function FilterBar({
  children,
  onClear,
  isFiltered,
}: {
  children: ReactNode
  onClear?: () => void
  isFiltered?: boolean
}) {
  return (
    <search className={classes.bar}>
      {children}
      {isFiltered && onClear && (
        <Button variant="subtle" color="gray" onClick={onClear} leftSection={<Icon name="close" size={13} />}>
          Clear filters
        </Button>
      )}
    </search>
  )
}

/** Text to look for; `/` jumps here. Reports when typing pauses. */
export function SearchField({
  label,
  value,
  onChange,
}: {
  label: string
  value: string
  onChange: (value: string) => void
}) {
  const [text, setText] = useState(value)
  const input = useRef<HTMLInputElement>(null)
  const report = useDebouncedCallback(onChange, 250)
  useEffect(() => setText(value), [value])
  useKeys('Filters', [{ keys: '/', does: label, run: () => input.current?.focus() }])
  return (
    <TextInput
      ref={input}
      className={classes.search}
      aria-label={label}
      placeholder={label}
      value={text}
      leftSection={<Icon name="search" size={14} />}
      onChange={(event) => {
        setText(event.currentTarget.value)
        report(event.currentTarget.value)
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape') input.current?.blur()
      }}
    />
  )
}

interface ChoiceProps<Value extends string> {
  label: string
  value: Value | undefined
  /** Values, or values with words of their own. */
  options: ReadonlyArray<Value | { value: Value; label: string }>
  /** The word for no choice. */
  any?: string
  onChange: (value: Value | undefined) => void
}

/** One of a few values, or none. */
export function Choice<Value extends string>({ label, value, options, any = 'any', onChange }: ChoiceProps<Value>) {
  const data = options.map((option) => (typeof option === 'string' ? { value: option, label: Word(option) } : option))
  return (
    <NativeSelect
      aria-label={label}
      value={value ?? ''}
      data={[{ value: '', label: `${label}: ${any}` }, ...data]}
      onChange={(event) => onChange((event.currentTarget.value || undefined) as Value | undefined)}
    />
  )
}
