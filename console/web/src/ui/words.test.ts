import { describe, expect, test } from 'vitest'
import { bytes, duration, plural, relative, word } from './words'

describe('a length of time is said in its two largest units', () => {
  test.each([
    [0, '0 s'],
    [0.01, '10 ms'],
    [59.4, '59 s'],
    [60, '1 min'],
    [3_725, '1 h 2 min'],
    [3_605, '1 h'],
    [90_000, '1 d 1 h'],
  ])('%d', (seconds, expected) => expect(duration(seconds)).toBe(expected))
})

describe('how long ago', () => {
  const now = Date.parse('2026-11-20T12:00:00Z')
  test.each([
    ['2026-11-20T11:59:58Z', 'now'],
    ['2026-11-20T11:59:30Z', '30 s ago'],
    ['2026-11-20T09:00:00Z', '3 h ago'],
    ['2026-11-22T13:00:00Z', 'in 2 d'],
    ['2026-01-02T00:00:00Z', '2026-01-02'],
  ])('%s', (at, expected) => expect(relative(Date.parse(at), now)).toBe(expected))
})

test('values of the schema have words', () => {
  expect(word('API_KEY')).toBe('API key')
  expect(word('CALLED_FROM')).toBe('called from')
  expect(plural(1, 'alert')).toBe('1 alert')
  expect(plural(1200, 'alert')).toBe('1,200 alerts')
  expect(bytes(1536)).toBe('1.5 KB')
})
