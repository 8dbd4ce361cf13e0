import { Link } from '@tanstack/react-router'
import { PageHead } from '@/ui/Page'
import { Empty, Failed } from '@/ui/States'

/** An address that leads nowhere. */
export function NotFound() {
  return (
    <>
      <PageHead title="No such page" />
      <Empty title="There is nothing at this address" icon="link">
        It may have been cut short. Go to the <Link to="/">overview</Link>, or press / to search.
      </Empty>
    </>
  )
}

/** A page that broke while it was drawn. */
export function PageFailed({ error, reset }: { error: unknown; reset: () => void }) {
  return (
    <>
      <PageHead title="This page broke" />
      <Failed error={error} retry={reset} />
    </>
  )
}
