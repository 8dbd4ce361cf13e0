// How values are said. One place, so the same thing has the same word on every page.

const SPECIAL: Record<string, string> = {
  API_KEY: 'API key',
  NR: 'not rated',
  tls: 'TLS',
  dns: 'DNS',
  dnssec: 'DNSSEC',
  dmarc: 'DMARC',
  spf: 'SPF',
  mta_sts: 'MTA-STS',
  tls_rpt: 'TLS-RPT',
  ssllabs: 'SSL Labs',
  'ssllabs-strict': 'SSL Labs, strict',
  TRUE_POSITIVE: 'true positive',
  CLOUDEVENTS: 'CloudEvents',
  OCSF: 'OCSF',
  SLACK: 'Slack',
  TEAMS: 'Teams',
  PAGERDUTY: 'PagerDuty',
  SPLUNK: 'Splunk HEC',
  EMAIL: 'e-mail',
  HTML: 'HTML',
  PDF: 'PDF',
  CSV: 'CSV',
  JSON: 'JSON',
}

/** `API_KEY` as "API key", `CALLED_FROM` as "called from". */
export function word(value: string): string {
  return SPECIAL[value] ?? value.toLowerCase().replaceAll('_', ' ')
}

/** The same with a capital. */
export function Word(value: string): string {
  const text = word(value)
  return text.charAt(0).toUpperCase() + text.slice(1)
}

const number = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const precise = new Intl.NumberFormat('en', { maximumFractionDigits: 2 })
const percentage = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 })

export function count(value: number): string {
  return number.format(value)
}

/** Points of a score; what is there but rounds to nothing says so. */
export function points(value: number): string {
  return value > 0 && value < 0.005 ? '<0.01' : precise.format(Math.abs(value) < 0.005 ? 0 : value)
}

export function percent(share: number): string {
  return percentage.format(share)
}

/** `1 alert`, `12 alerts`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`
}

/** Money from minor units. */
export function money(minor: number, currency: string | null | undefined): string {
  if (!currency) return precise.format(minor / 100)
  return new Intl.NumberFormat('en', { style: 'currency', currency, maximumFractionDigits: 0 }).format(minor / 100)
}

const UNITS: Array<[seconds: number, name: string]> = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
]

/** A length of time in its two largest units: `2 h 5 min`. */
export function duration(seconds: number): string {
  if (seconds < 1) return seconds <= 0 ? '0 s' : `${Math.max(1, Math.round(seconds * 1000))} ms`
  let rest = Math.round(seconds)
  const parts: string[] = []
  for (const [size, name] of UNITS) {
    const n = Math.floor(rest / size)
    rest -= n * size
    if (n > 0) parts.push(`${n} ${name}`)
    else if (parts.length) break
  }
  return parts.slice(0, 2).join(' ')
}

/** How long ago, or ahead: `5 min ago`, `in 2 h`. */
export function relative(at: number, now: number): string {
  const seconds = Math.abs(now - at) / 1000
  if (seconds < 5) return 'now'
  const [size, name] = UNITS.find(([unit]) => seconds >= unit) ?? [1, 's']
  if (seconds > 60 * 86_400) return new Date(at).toISOString().slice(0, 10)
  const text = `${Math.floor(seconds / size)} ${name}`
  return at > now ? `in ${text}` : `${text} ago`
}

export function bytes(n: number): string {
  if (n < 1024) return `${n} B`
  return n < 1024 * 1024 ? `${number.format(n / 1024)} KB` : `${number.format(n / 1024 / 1024)} MB`
}
