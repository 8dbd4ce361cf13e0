import type { Grade as Letter } from '@/api/schema.gen'
import classes from './Grade.module.css'

/** The letter of a posture. */
export function Grade({ grade, size = 'small' }: { grade: Letter; size?: 'small' | 'large' }) {
  const isRated = grade !== 'NR'
  return (
    <span
      className={classes.grade}
      data-grade={grade}
      data-size={size}
      title={isRated ? `Grade ${grade}` : 'Not rated: too little could be judged'}
    >
      <span className="hidden-visually">{isRated ? 'grade ' : 'not rated'}</span>
      {isRated ? grade : <span aria-hidden="true">NR</span>}
    </span>
  )
}
