// What the address may say behind the question mark. Whatever else stands there is ignored.

type Parsers = Record<string, (value: unknown) => unknown>
type Parsed<P extends Parsers> = { [K in keyof P]?: Exclude<ReturnType<P[K]>, undefined> }

/** Reads the parts of an address, each by its own parser; what does not fit is left out. */
export const search =
  <P extends Parsers>(parsers: P) =>
  (raw: Record<string, unknown>): Parsed<P> => {
    const known = Object.entries(parsers).map(([key, parse]) => [key, parse(raw[key])] as const)
    return Object.fromEntries(known.filter(([, value]) => value !== undefined)) as Parsed<P>
  }

/** Some text; nothing when it is empty. Numbers count as text: an id may look like one. */
export const text = (value: unknown): string | undefined => {
  const said = typeof value === 'number' ? String(value) : value
  return typeof said === 'string' && said !== '' ? said : undefined
}

export const flag = (value: unknown): true | undefined => (value === true || value === 'true' ? true : undefined)

export const either =
  <Value extends string | number>(...allowed: Value[]) =>
  (value: unknown): Value | undefined =>
    allowed.find((one) => one === value)
