import { withUnit } from '../../format/numbers'
import { Button } from '../../parts/Button'
import { Dialog } from '../../parts/Dialog'
import { t } from '../../words/words'
import { titleOf, valueWords } from '../commands/wording'
import type { Difference } from './draft'
import { OldNew } from './OldNew'
import { isFault } from './values'

export interface ReviewProps {
  open: boolean
  changes: readonly Difference[]
  /** Grams of a day before and after; undefined where they stay or nobody can say. */
  perDay: { old: number; new: number } | undefined
  onClose: () => void
  onConfirm: () => void
}

/** What will be written, old and new side by side, before anything is sent. */
export function Review({ open, changes, perDay, onClose, onConfirm }: ReviewProps) {
  return (
    <Dialog
      open={open}
      title={t('device.review')}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t('device.back')}</Button>
          <Button kind="primary" onClick={onConfirm}>
            {t('device.write', { count: changes.length })}
          </Button>
        </>
      }
    >
      <ul class="changes">
        {changes.map(each => (
          <li key={each.name}>
            <span>{titleOf(each.name, each.schema)}</span>
            <OldNew
              old={valueWords(each.old, each.schema)}
              now={isFault(each.new) ? t('common.unknown') : valueWords(each.new, each.schema)}
            />
          </li>
        ))}
        {perDay && (
          <li class="changes-total">
            <span>{t('device.perDay')}</span>
            <OldNew old={withUnit(perDay.old, 'g')} now={withUnit(perDay.new, 'g')} />
          </li>
        )}
      </ul>
      <p class="quiet">{t('device.reviewHint')}</p>
    </Dialog>
  )
}
