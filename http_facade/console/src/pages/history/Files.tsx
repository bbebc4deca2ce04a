import { useState } from 'preact/hooks'
import { addressOf } from '../../api/client'
import { Button } from '../../parts/Button'
import { Icon } from '../../parts/icons'
import { keep } from '../../parts/keep'
import { t } from '../../words/words'
import { inks, type Look } from './looks'
import { picture } from './picture'
import type { Stretch } from './stretch'

export interface FilesProps {
  place: { site: string; device: string }
  title: string
  stretch: Stretch
  range: string
  looks: readonly Look[]
  canvas: HTMLCanvasElement | undefined
}

/** What is shown, to keep: every sample as the facade has it, and the chart as a picture. */
export function Files({ place, title, stretch, range, looks, canvas }: FilesProps) {
  const [failed, setFailed] = useState(false)
  const keepPicture = async () => {
    if (!canvas) return
    try {
      const names = looks.map(each => each.property).join('_')
      const day = new Date(stretch.fromMs).toISOString().slice(0, 10)
      keep(`${place.site}_${place.device}_${names}_${day}.png`, await picture(canvas, { title, range, looks }, inks()))
      setFailed(false)
    } catch {
      setFailed(true)
    }
  }
  return (
    <div class="files">
      <span class="quiet">{t('history.keep')}</span>
      {looks.map(({ property, title: name }) => (
        <a key={property} class="button button-secondary" href={samplesAddress(place, property, stretch)} download>
          <Icon name="save" />
          {t('history.csv', { name })}
        </a>
      ))}
      <Button icon="save" onClick={() => void keepPicture()} disabled={!canvas}>
        {t('history.png')}
      </Button>
      {failed && (
        <p class="field-error" role="alert">
          {t('history.noPicture')}
        </p>
      )}
    </div>
  )
}

function samplesAddress(place: { site: string; device: string }, property: string, { fromMs, toMs }: Stretch): string {
  const [from, to] = [fromMs, toMs].map(each => new Date(each).toISOString())
  const asked = { path: place, query: { property, from, to } }
  return addressOf('/v1/sites/{site}/devices/{device}/samples', asked as never)
}
