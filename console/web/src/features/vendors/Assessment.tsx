import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { follow } from '@/api/live'
import classes from './Assessment.module.css'
import { AssessmentsDocument } from './vendors.gql'

export interface Progress {
  done: number
  total: number
}

/** How far a running assessment of the vendor is; null when none runs. Its result is asked for when it ends. */
export function useAssessment(vendorId: string): Progress | null {
  const cache = useQueryClient()
  const [progress, setProgress] = useState<Progress | null>(null)
  useEffect(
    () =>
      follow(AssessmentsDocument, { vendor: vendorId }, ({ assessments }) => {
        setProgress(assessments.finished ? null : assessments)
        if (assessments.finished) void cache.invalidateQueries({ queryKey: ['vendors'] })
      }),
    [cache, vendorId],
  )
  return progress
}

export function AssessmentProgress({ progress }: { progress: Progress }) {
  return (
    <div className={classes.bar} role="status">
      <progress max={progress.total} value={progress.done} aria-label="Assessment" />
      Assessing: {progress.done} of {progress.total} steps done
    </div>
  )
}
