import { useState } from 'preact/hooks'
import { change } from '../../api/client'
import { asProblem, type Problem } from '../../api/problem'
import { duration } from '../../format/ages'
import { Button } from '../../parts/Button'
import { Field } from '../../parts/Field'
import { HoldButton } from '../../parts/HoldButton'
import { Notice, ProblemNotice } from '../../parts/Notice'
import { now } from '../../state/clock'
import { may } from '../../state/session'
import { t } from '../../words/words'
import type { GroupInFull } from './GroupBadge'
import { keepToken, tokenOf } from './tokens'

/** Run a preview by holding, once, while it is fresh; stop what runs. */
export function Running({ group, again }: { group: GroupInFull; again: () => void }) {
  const [problem, setProblem] = useState<Problem>()
  const [busy, setBusy] = useState(false)
  if (!may('engineer')) return null

  const act = async (ask: () => Promise<unknown>) => {
    setBusy(true)
    setProblem(undefined)
    try {
      await ask()
    } catch (error) {
      setProblem(asProblem(error))
    }
    setBusy(false)
    again()
  }
  const path = { id: group.id }
  const run = (token: string) => act(() => change('post', '/v1/groups/{id}/run', { path, body: { token } }))
  const stop = () => act(() => change('post', '/v1/groups/{id}/stop', { path }))
  const token = tokenOf(group.id)
  return (
    <>
      {problem?.code === 'second-person-needed' ? (
        <HandOver token={token} />
      ) : (
        problem && <ProblemNotice problem={problem} />
      )}
      {group.state === 'previewed' && <Arm group={group} token={token} busy={busy} onRun={each => void run(each)} />}
      {(group.state === 'running' || group.state === 'previewed') && (
        <div class="outcome-actions">
          <Button
            icon="stop"
            kind={group.state === 'running' ? 'danger' : 'secondary'}
            busy={busy}
            onClick={() => void stop()}
          >
            {t('groups.stop')}
          </Button>
          {group.state === 'running' && <span class="quiet">{t('groups.stopNote')}</span>}
        </div>
      )}
    </>
  )
}

interface ArmProps {
  group: GroupInFull
  token: string | undefined
  busy: boolean
  onRun: (token: string) => void
}

function Arm({ group, token, busy, onRun }: ArmProps) {
  const [typed, setTyped] = useState('')
  const leftS = (Date.parse(group.expires_at) - now.value) / 1_000
  if (leftS <= 0) return <Notice tone="unknown">{t('groups.old')}</Notice>
  const given = token ?? typed.trim()
  return (
    <>
      {token === undefined && (
        <>
          <p>{t('groups.tokenGone')}</p>
          <Field
            label={t('groups.token')}
            hint={t('groups.tokenHint')}
            value={typed}
            onInput={setTyped}
            onBlur={() => {
              if (typed.trim()) keepToken(group.id, typed.trim())
            }}
            autocomplete="off"
            spellcheck={false}
          />
        </>
      )}
      <HoldButton kind="danger" disabled={!given || busy} onConfirm={() => onRun(given)}>
        {t('groups.run', { count: t('groups.devices', { count: group.progress.targets }) })}
      </HoldButton>
      <p class="quiet digits" aria-live="off">
        {t('groups.good', { time: duration(leftS) })}
      </p>
    </>
  )
}

/** What moves so many devices is run by somebody else than who previewed it. */
function HandOver({ token }: { token: string | undefined }) {
  return (
    <Notice tone="warning">
      <p>
        <strong>{t('groups.handOver')}</strong>
      </p>
      <p>{t('groups.handOverHint')}</p>
      {token && (
        <code class="group-token" dir="ltr">
          {token}
        </code>
      )}
    </Notice>
  )
}
