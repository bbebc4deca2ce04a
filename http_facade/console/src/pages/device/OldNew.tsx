import './old-new.css'
import { t } from '../../words/words'

/** A value before and after. */
export function OldNew({ old, now }: { old: string; now: string }) {
  return (
    <span class="old-new digits">
      <s>
        <span class="unseen">{t('device.old')}</span> {old}
      </s>
      <span aria-hidden="true" class="old-new-arrow" />
      <strong>
        <span class="unseen">{t('device.new')}</span> {now}
      </strong>
    </span>
  )
}
