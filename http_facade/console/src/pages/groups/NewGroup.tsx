import './groups.css'
import { useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { change } from '../../api/client'
import { asProblem, type Problem } from '../../api/problem'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { ProblemNotice } from '../../parts/Notice'
import { NumberField, parsed } from '../../parts/NumberField'
import { Page } from '../../parts/Page'
import { Select } from '../../parts/Select'
import { type Description, describe, type Value } from '../../state/description'
import { useReading } from '../../state/reading'
import { t } from '../../words/words'
import { SettingField } from '../device/SettingField'
import { isFault, type Typed, valueTyped } from '../device/values'
import { to } from '../routes'
import { common, type Deed } from './choice'
import { DeviceChoice } from './DeviceChoice'
import { keepToken } from './tokens'

const MOST = 500

/** Which devices, what shall happen to them, and how fast; then what would happen is looked at. */
export default function NewGroup() {
  const { route } = useLocation()
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [wanted, setWanted] = useState('')
  const [typed, setTyped] = useState<Readonly<Record<string, Typed>>>({})
  const [rate, setRate] = useState('2')
  const [share, setShare] = useState('10')
  const [problem, setProblem] = useState<Problem>()
  const [busy, setBusy] = useState(false)

  const keys = [...chosen].sort()
  const descriptions = useReading<readonly Description[]>(
    signal =>
      Promise.all(keys.map(key => key.split('/')).map(([site = '', device = '']) => describe(site, device, signal))),
    [keys],
  )
  const deeds = common(descriptions.value ?? [])
  const deed = deeds.find(each => each.id === wanted) ?? deeds[0]
  const input = deed && inputOf(deed, typed)
  const [rateN, shareN] = [parsed(rate), parsed(share)]
  const rates = rateN !== undefined && rateN >= 0.1 && rateN <= 20
  const shares = shareN !== undefined && shareN >= 0 && shareN <= 100
  const ready = input !== undefined && rates && shares && chosen.size > 0 && chosen.size <= MOST

  const preview = async () => {
    if (!ready || !deed) return
    setBusy(true)
    setProblem(undefined)
    try {
      const targets = keys.map(key => key.split('/')).map(([site, device]) => ({ site, device }))
      const what = deed.setting === undefined ? { action: deed.action, input } : { write: input }
      const body = { targets, ...what, rate_per_s: rateN, stop_share: shareN / 100 }
      const answer = await change('post', '/v1/groups', { body })
      keepToken(answer.body.id, answer.body.token)
      route(to.group(answer.body.id))
    } catch (error) {
      setProblem(asProblem(error))
    }
    setBusy(false)
  }

  return (
    <Page title={t('groups.make')} lead={t('groups.lead')}>
      <div class="group-new">
        <DeviceChoice chosen={chosen} onChoose={setChosen} />
        <Card title={t('groups.what')}>
          {descriptions.problem && <ProblemNotice problem={descriptions.problem} again={descriptions.again} />}
          {deed ? (
            <>
              <Select
                label={t('groups.kind')}
                value={deed.id}
                options={deeds.map(each => ({ value: each.id, label: labelOf(each) }))}
                onChange={id => {
                  setWanted(id)
                  setTyped({})
                }}
              />
              {Object.entries(deed.schemas).map(([name, schema]) => (
                <SettingField
                  key={`${deed.id} ${name}`}
                  name={name}
                  schema={schema}
                  typed={typed[name] ?? (schema.type === 'boolean' ? false : '')}
                  touched={name in typed}
                  onType={value => setTyped({ ...typed, [name]: value })}
                  disabled={false}
                />
              ))}
              <NumberField
                label={t('groups.rate')}
                value={rate}
                onInput={setRate}
                unit="/s"
                minimum={0.1}
                maximum={20}
                step={0.1}
                error={rates ? undefined : '0.1–20'}
              />
              <NumberField
                label={t('groups.stopShare')}
                value={share}
                onInput={setShare}
                unit="%"
                minimum={0}
                maximum={100}
                hint={t('groups.stopHint')}
                error={shares ? undefined : '0–100 %'}
              />
            </>
          ) : (
            <p class="quiet">{t('groups.chooseSome')}</p>
          )}
          {problem && <ProblemNotice problem={problem} />}
          <Button kind="primary" disabled={!ready} busy={busy} onClick={() => void preview()}>
            {t('groups.preview')} · {t('groups.devices', { count: chosen.size })}
          </Button>
        </Card>
      </div>
    </Page>
  )
}

function labelOf({ setting, title }: Deed): string {
  return setting === undefined ? title : `${t('commands.write')}: ${title}`
}

function inputOf({ schemas }: Deed, typed: Readonly<Record<string, Typed>>): Record<string, Value> | undefined {
  const input: Record<string, Value> = {}
  for (const [name, schema] of Object.entries(schemas)) {
    const value = valueTyped(schema, typed[name] ?? '')
    if (isFault(value)) return undefined
    input[name] = value
  }
  return input
}
