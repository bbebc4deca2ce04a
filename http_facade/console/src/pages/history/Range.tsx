import { useEffect, useState } from 'preact/hooks'
import { stretch as inWords } from '../../format/times'
import { Button } from '../../parts/Button'
import { Field } from '../../parts/Field'
import { Segments } from '../../parts/Segments'
import { t } from '../../words/words'
import { fields, panned, SPAN_NAMES, SPANS, type Stretch, spanName, type View, written, zoomed } from './stretch'

export interface RangeProps {
  view: View
  stretch: Stretch
  zone: string
  onView: (view: View) => void
  onStretch: (stretch: Stretch) => void
}

/** From when to when: lengths by name, steps, and two fields in the site's time. */
export function Range({ view, stretch, zone, onView, onStretch }: RangeProps) {
  const live = view.endMs === undefined
  const shown = inWords(stretch.fromMs, stretch.toMs, zone)
  return (
    <div class="range">
      <div class="range-row">
        <Segments
          label={t('history.span')}
          value={spanName(view)}
          options={SPAN_NAMES.map(value => ({ value, label: t(`history.${value}`) }))}
          onChange={name => onView({ spanMs: SPANS[name], endMs: view.endMs })}
        />
        <div class="range-steps">
          <Button icon="back" aria-label={t('history.earlier')} onClick={() => onStretch(panned(stretch, -0.5))} />
          <Button icon="minus" aria-label={t('history.zoomOut')} onClick={() => onStretch(zoomed(stretch, 2))} />
          <Button icon="plus" aria-label={t('history.zoomIn')} onClick={() => onStretch(zoomed(stretch, 0.5))} />
          <Button
            icon="next"
            aria-label={t('history.later')}
            disabled={live}
            onClick={() => onStretch(panned(stretch, 0.5))}
          />
          <Button
            icon="live"
            kind={live ? 'primary' : 'secondary'}
            aria-pressed={live}
            onClick={() => onView({ spanMs: view.spanMs, endMs: live ? stretch.toMs : undefined })}
          >
            {t('history.now')}
          </Button>
        </div>
      </div>
      <details class="fold">
        <summary>
          <strong>{t('history.range')}</strong>: <span class="digits">{shown}</span>
        </summary>
        <FromTo stretch={stretch} zone={zone} onStretch={onStretch} />
      </details>
    </div>
  )
}

/** The fields follow what is shown, until somebody writes in them. */
function FromTo({ stretch, zone, onStretch }: Pick<RangeProps, 'stretch' | 'zone' | 'onStretch'>) {
  const shown = fields(stretch, zone)
  const [typed, setTyped] = useState<{ from: string; to: string }>()
  const [wrong, setWrong] = useState(false)
  const { from, to } = typed ?? shown
  useEffect(() => {
    setWrong(false)
  }, [from, to])
  const submit = (event: Event) => {
    event.preventDefault()
    const found = written(from, to, zone)
    setWrong(!found)
    if (!found) return
    setTyped(undefined)
    onStretch(found)
  }
  return (
    <form class="range-fields" onSubmit={submit} noValidate>
      <Field
        type="datetime-local"
        label={t('history.from')}
        value={from}
        onInput={value => setTyped({ from: value, to })}
        error={wrong ? t('history.wrongRange') : undefined}
      />
      <Field
        type="datetime-local"
        label={t('history.to')}
        value={to}
        onInput={value => setTyped({ from, to: value })}
      />
      <Button type="submit">{t('history.show')}</Button>
    </form>
  )
}
