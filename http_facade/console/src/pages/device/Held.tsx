import { Button } from '../../parts/Button'
import { Notice } from '../../parts/Notice'
import type { Command } from '../../state/commands'
import { looked, needsPerson } from '../../state/doubts'
import { t } from '../../words/words'
import { Doubt } from '../commands/Outcome'
import { inputWords, whoWords } from '../commands/wording'
import { to } from '../routes'

/**
 * A form that is held: of an earlier command nobody knows yet what it did, so nothing may be asked for on top of it;
 * `told` if why is said beside it already.
 */
export function Held({ doubts, told = false }: { doubts: readonly Command[]; told?: boolean }) {
  const [first] = doubts
  if (!first) return null
  return (
    <Notice tone="unknown">
      <p>
        <strong>{t('device.held')}</strong>
      </p>
      {!told && <Doubt command={first} />}
      <ul>
        {doubts.map(each => (
          <li key={each.id}>
            <a href={to.command(each.id)}>{t('device.heldBy', { what: inputWords(each), who: whoWords(each) })}</a>
          </li>
        ))}
      </ul>
      {doubts.every(needsPerson) && (
        <div class="outcome-actions">
          <Button onClick={() => looked(doubts)}>{t('device.looked')}</Button>
        </div>
      )}
    </Notice>
  )
}
