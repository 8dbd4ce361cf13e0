import type { ReactNode } from 'react'
import { useEffect } from 'react'
import classes from './Page.module.css'

interface HeadProps {
  title: string
  /** Stands before the title: where this page lies. */
  above?: ReactNode
  /** Stands behind the title: states and marks. */
  marks?: ReactNode
  lead?: ReactNode
  actions?: ReactNode
}

/** The head of a page; also names the browser's tab. */
export function PageHead({ title, above, marks, lead, actions }: HeadProps) {
  useEffect(() => {
    document.title = `${title} - riskgraph`
  }, [title])
  return (
    <header className={classes.head}>
      <div className={classes.words}>
        {above && <div className={classes.above}>{above}</div>}
        <div className={classes.title}>
          <h1 className="wrap">{title}</h1>
          {marks}
        </div>
        {lead && <div className={classes.lead}>{lead}</div>}
      </div>
      {actions && <div className={classes.actions}>{actions}</div>}
    </header>
  )
}

interface PanelProps {
  title: string
  /** Beside the title: counts, links, controls. */
  aside?: ReactNode
  /** Rows that reach the edge, as in tables and lists. */
  flush?: boolean
  children: ReactNode
}

/** A titled part of a page. */
export function Panel({ title, aside, flush, children }: PanelProps) {
  return (
    <section className={classes.panel} aria-label={title}>
      <div className={classes.panelHead}>
        <h2>{title}</h2>
        {aside && <div className={classes.aside}>{aside}</div>}
      </div>
      <div className={flush ? classes.flush : classes.body}>{children}</div>
    </section>
  )
}
