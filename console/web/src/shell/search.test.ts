import { expect, test } from 'vitest'
import { either, flag, search, text } from './search'

test('the address is read by what it may say, the rest is ignored', () => {
  const read = search({ query: text, muted: flag, status: either('OPEN', 'ALL') })
  expect(read({ query: 'x', muted: 'true', status: 'ALL', other: 1 })).toEqual({
    query: 'x',
    muted: true,
    status: 'ALL',
  })
  expect(read({ query: '', muted: 'yes', status: '<script>' })).toEqual({})
  expect(read({ query: 42 })).toEqual({ query: '42' })
})
