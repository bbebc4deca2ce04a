import { Button } from '../../parts/Button'
import { Notice } from '../../parts/Notice'
import { t } from '../../words/words'
import { titleOf, valueWords } from '../commands/wording'
import type { Conflict } from './draft'
import { isFault } from './values'

/** Somebody else changed what is being changed here: both values, and which of them it shall be. */
export function Conflicts({
  conflicts,
  onMine,
  onTheirs,
}: {
  conflicts: readonly Conflict[]
  onMine: () => void
  onTheirs: () => void
}) {
  return (
    <Notice tone="critical">
      <p>
        <strong>{t('device.conflict')}</strong>
      </p>
      <ul class="conflicts">
        {conflicts.map(({ name, schema, seen, theirs, mine }) => (
          <li key={name}>
            <strong>{titleOf(name, schema)}</strong>
            <dl>
              <div>
                <dt>{t('device.seen')}</dt>
                <dd class="digits">{valueWords(seen, schema)}</dd>
              </div>
              <div>
                <dt>{t('device.theirs')}</dt>
                <dd class="digits">{valueWords(theirs, schema)}</dd>
              </div>
              <div>
                <dt>{t('device.mine')}</dt>
                <dd class="digits">{isFault(mine) ? t('common.unknown') : valueWords(mine, schema)}</dd>
              </div>
            </dl>
          </li>
        ))}
      </ul>
      <div class="outcome-actions">
        <Button onClick={onTheirs}>{t('device.takeTheirs')}</Button>
        <Button kind="primary" onClick={onMine}>
          {t('device.keepMine')}
        </Button>
      </div>
    </Notice>
  )
}
