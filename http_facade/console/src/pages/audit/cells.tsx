import { withUnit } from '../../format/numbers'
import { Badge, type Tone } from '../../parts/Badge'
import { t, wordsOf } from '../../words/words'
import { type State, stateWords } from '../commands/StateBadge'
import { to } from '../routes'
import { changesOf, type Kind, type Row } from './filters'

const TONES: Record<Kind, Tone> = { asked: 'accent', refused: 'warning', cancel: 'unknown', ended: 'ok', done: 'ok' }

/** The caller, and by which program and from where it reached the broker. */
export function Who({ row: { actor, principal, source_address: address } }: { row: Row }) {
  return (
    <span class="lines">
      <strong>
        <bdi>{actor ?? principal}</bdi>
      </strong>
      <span class="quiet">
        {actor && <bdi>{principal}</bdi>}
        {address && (
          <>
            {actor && ' · '}
            <bdi dir="ltr">{address}</bdi>
          </>
        )}
      </span>
    </span>
  )
}

export function What({ row }: { row: Row }) {
  const { name, site, device, command } = row
  return (
    <span class="lines">
      <span class="lines-row">
        <Badge tone={toneOf(row)}>{t(`audit.${row.kind}`)}</Badge>
        {command ? (
          <a href={to.command(command)}>
            <bdi>{name}</bdi>
          </a>
        ) : (
          <bdi>{name}</bdi>
        )}
      </span>
      {(site || device) && (
        <span class="place-name">
          {site && device ? (
            <a href={to.device(site, device)}>
              <bdi>
                {site} / {device}
              </bdi>
            </a>
          ) : (
            <bdi>{site || device}</bdi>
          )}
        </span>
      )}
    </span>
  )
}

/** Of an end how good it was. */
function toneOf({ kind, state }: Row): Tone {
  if (kind !== 'ended' || state === 'applied') return TONES[kind]
  return state === 'partial' || state === 'rejected' ? 'warning' : 'critical'
}

export function Changes({ row }: { row: Row }) {
  const changes = changesOf(row)
  if (changes.length === 0) return <span class="quiet">–</span>
  return (
    <ul class="lines">
      {changes.map(({ name, before, after }) => (
        <li key={name}>
          <bdi>{name}</bdi>:{' '}
          <span class="digits">
            {before !== undefined && <span class="quiet">{withUnit(before)} → </span>}
            {after !== undefined && <strong>{withUnit(after)}</strong>}
          </span>
        </li>
      ))}
    </ul>
  )
}

export function Outcome({ row: { state, code, detail } }: { row: Row }) {
  if (!code && !state && !detail) return <span class="quiet">–</span>
  // What is done is done; only of the rest the code says why.
  const words = code && code !== state ? wordsOf(code) : ''
  return (
    <span class="lines">
      {state && <strong>{stateWords(state as State)}</strong>}
      {words && <span>{words}</span>}
      {detail && (
        <bdi class="quiet outcome-detail" dir="ltr">
          {detail}
        </bdi>
      )}
    </span>
  )
}
