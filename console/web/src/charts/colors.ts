export interface ChartColors {
  text: string
  dim: string
  line: string
  surface: string
  accent: string
  soft: string
  bad: string
  medium: string
}

/** The scheme's colours as the canvas needs them: it does not know variables. */
export function readColors(): ChartColors {
  const style = getComputedStyle(document.documentElement)
  const read = (name: string) => style.getPropertyValue(name).trim()
  return {
    text: read('--text'),
    dim: read('--dim'),
    line: read('--line'),
    surface: read('--surface'),
    accent: read('--accent'),
    soft: read('--accent-soft'),
    bad: read('--critical'),
    medium: read('--medium'),
  }
}

/** What all our charts have in common. Drawn text instead of HTML in tooltips: the policy refuses inline styles. */
export function common(colors: ChartColors) {
  return {
    animation: false,
    textStyle: { fontFamily: 'system-ui, sans-serif', color: colors.dim },
    grid: { left: 8, right: 14, top: 14, bottom: 8, containLabel: true },
    tooltip: {
      trigger: 'axis',
      renderMode: 'richText',
      confine: true,
      backgroundColor: colors.surface,
      borderColor: colors.line,
      textStyle: { color: colors.text, fontSize: 12 },
    },
  }
}

export function timeAxis(colors: ChartColors) {
  return {
    type: 'time',
    axisLine: { lineStyle: { color: colors.line } },
    axisLabel: { color: colors.dim, fontSize: 11, hideOverlap: true },
    splitLine: { show: false },
  }
}

export function valueAxis(colors: ChartColors, more: object = {}) {
  return {
    type: 'value',
    axisLabel: { color: colors.dim, fontSize: 11 },
    splitLine: { lineStyle: { color: colors.line } },
    ...more,
  }
}
