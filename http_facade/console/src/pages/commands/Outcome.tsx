import './outcome.css'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { change } from '../../api/client'
import { asProblem, type Problem } from '../../api/problem'
import { duration } from '../../format/ages'
import { Button } from '../../parts/Button'
import { Icon } from '../../parts/icons'
import { ProblemNotice } from '../../parts/Notice'
import { now } from '../../state/clock'
import { type Command, learn } from '../../state/commands'
import type { Description } from '../../state/description'
import { needsPerson } from '../../state/doubts'
import { useFollowed } from '../../state/following'
import { may } from '../../state/session'
import type { Wish } from '../../state/wish'
import { t, wordsOf } from '../../words/words'
import { to } from '../routes'
import { Results } from './Results'
import { StateBadge } from './StateBadge'

/** What became of a wish, live, from the moment of the decision to its end. */
export function Outcome({
  wish,
  description,
  onClose,
}: {
  wish: Wish
  description: Description | undefined
  onClose: () => void
}) {
  const command = useFollowed(wish.command)
  const element = useRef<HTMLDivElement>(null)
  // What was decided far down the page is followed where it is seen.
  useEffect(() => {
    if (wish.phase === 'asking') element.current?.scrollIntoView({ block: 'nearest' })
  }, [wish.key])
  return (
    <div ref={element} class="outcome-place">
      <Told wish={wish} command={command} description={description} onClose={onClose} />
    </div>
  )
}

interface ToldProps {
  wish: Wish
  command: Command | undefined
  description: Description | undefined
  onClose: () => void
}

function Told({ wish, command, description, onClose }: ToldProps) {
  if (wish.phase === 'refused' && wish.problem) {
    return (
      <div class="outcome outcome-critical" role="alert">
        <ProblemNotice problem={wish.problem} />
        <Close onClose={onClose} />
      </div>
    )
  }
  if (command === undefined) return <Unanswered wish={wish} onClose={onClose} />
  return (
    <div class={`outcome outcome-${command.state}`} role="status">
      <Track command={command} />
      <p class="outcome-words">
        {command.final || command.state === 'unknown' ? endWords(command) : t('commands.following')}
      </p>
      <Results command={command} description={description} />
      {command.state === 'unknown' && <Doubt command={command} />}
      <div class="outcome-actions">
        <a class="button button-plain" href={to.command(command.id)}>
          {t('commands.look')}
          <Icon name="next" size={18} />
        </a>
        {!command.final && <Cancel command={command} />}
        {(command.final || needsPerson(command)) && <Close onClose={onClose} inline />}
      </div>
    </div>
  )
}

function endWords(command: Command): string {
  return wordsOf(command.code ?? command.state)
}

function Close({ onClose, inline = false }: { onClose: () => void; inline?: boolean }) {
  const button = <Button onClick={onClose}>{t('common.close')}</Button>
  return inline ? button : <div class="outcome-actions">{button}</div>
}

function Unanswered({ wish, onClose }: { wish: Wish; onClose: () => void }) {
  const waited: ComponentChildren = <span aria-live="off">{duration((now.value - wish.decidedAt) / 1_000)}</span>
  if (wish.phase === 'lost') {
    return (
      <div class="outcome outcome-critical" role="alert">
        <p class="outcome-words">{t('commands.lost')}</p>
        <Close onClose={onClose} />
      </div>
    )
  }
  return (
    <div class={wish.phase === 'asking' ? 'outcome outcome-pending' : 'outcome outcome-unknown'} role="status">
      <p class="outcome-words">
        <strong>{t(wish.phase === 'asking' ? 'commands.sending' : 'commands.unanswered')}</strong> {waited}
      </p>
      {wish.phase === 'unanswered' && <p>{t('commands.unansweredHint')}</p>}
      {wish.problem && <p class="notice-code">{wordsOf(wish.problem.code)}</p>}
    </div>
  )
}

/** Why nothing may be repeated, and what is waited for. */
export function Doubt({ command }: { command: Command }) {
  return (
    <>
      <p>{t('commands.doNotRepeat')}</p>
      <p>{t(needsPerson(command) ? 'commands.personNeeded' : 'commands.awaited')}</p>
    </>
  )
}

/** How far it has come: recorded, accepted by the site, its end. */
function Track({ command }: { command: Command }) {
  const { state, final } = command
  const accepted = state === 'accepted' || state === 'applied' || state === 'partial' || state === 'failed'
  const steps = [
    { words: t('commands.pending'), reached: true },
    { words: t('commands.accepted'), reached: accepted },
  ]
  return (
    <ol class="track">
      {(final && !accepted ? steps.slice(0, 1) : steps).map(({ words, reached }) => (
        <li key={words} class={reached ? 'track-reached' : 'track-open'}>
          <Icon name={reached ? 'ok' : 'more'} size={16} />
          {words}
        </li>
      ))}
      <li>
        {final || state === 'unknown' ? (
          <StateBadge state={state} />
        ) : (
          <span class="track-open">{t('commands.end')}</span>
        )}
      </li>
    </ol>
  )
}

/** Takes back what nobody has begun; the site decides whether that is so. */
export function Cancel({ command }: { command: Command }) {
  const [busy, setBusy] = useState(false)
  const [said, setSaid] = useState<Problem | 'asked'>()
  if (!may('operator') || !command.requester.startsWith('@facade')) return null
  const cancel = async () => {
    setBusy(true)
    setSaid(undefined)
    try {
      const { body } = await change('post', '/v1/commands/{id}/cancel', { path: { id: command.id }, waitS: 5 })
      learn(body)
      setSaid('asked')
    } catch (error) {
      const problem = asProblem(error)
      if (problem.command) learn(problem.command)
      setSaid(problem)
    }
    setBusy(false)
  }
  return (
    <>
      <Button icon="close" busy={busy} onClick={() => void cancel()}>
        {t('commands.cancel')}
      </Button>
      {said === 'asked' && <p class="outcome-note">{t('commands.cancelAsked')}</p>}
      {said !== undefined && said !== 'asked' && <p class="outcome-note">{wordsOf(said.code)}</p>}
    </>
  )
}
