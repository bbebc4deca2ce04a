import './skeleton.css'
import { t } from '../words/words'

/** Keeps the place of what is being read, so that nothing jumps when it comes. */
export function Skeleton({ lines = 3, blockSize = '1.25rem' }: { lines?: number; blockSize?: string }) {
  return (
    <div class="skeleton" role="status">
      <span class="unseen">{t('common.loading')}</span>
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} class="skeleton-line" style={{ blockSize }} />
      ))}
    </div>
  )
}
