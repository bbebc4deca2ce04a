import { unitSign } from '../../format/units'
import type { Description } from '../../state/description'
import { t } from '../../words/words'
import { MOST_LINES } from './looks'

export interface PropertiesProps {
  description: Description
  chosen: readonly string[]
  onChange: (chosen: readonly string[]) => void
}

/** Which properties are drawn; lines keep the colour that they have. */
export function Properties({ description, chosen, onChange }: PropertiesProps) {
  const known = description.properties ?? {}
  // One that the device had once, and whose samples are still there.
  const names = [...Object.keys(known), ...chosen.filter(each => !(each in known))]
  const full = chosen.length >= MOST_LINES
  const titles = chosen.map(name => known[name]?.title ?? name).join(', ')
  return (
    <details class="fold" open={matchMedia('(min-width: 48rem)').matches}>
      <summary>
        <strong>{t('history.properties')}</strong>: {titles}
      </summary>
      <fieldset class="properties">
        <legend class="unseen">{t('history.properties')}</legend>
        {names.map(name => {
          const isChosen = chosen.includes(name)
          const unit = unitSign(known[name]?.unit)
          return (
            <label key={name} class="property">
              <input
                type="checkbox"
                checked={isChosen}
                disabled={full && !isChosen}
                onChange={() => onChange(isChosen ? chosen.filter(each => each !== name) : [...chosen, name])}
              />
              <span>{known[name]?.title ?? name}</span>
              {unit && (
                <bdi class="quiet" dir="ltr">
                  {unit}
                </bdi>
              )}
            </label>
          )
        })}
        {full && <p class="quiet">{t('history.full', { count: MOST_LINES })}</p>}
      </fieldset>
    </details>
  )
}
