import { useEffect, useState } from 'preact/hooks'
import { read } from '../../api/client'
import { asProblem, type Problem } from '../../api/problem'
import type { components } from '../../api/schema'
import { dateTime } from '../../format/times'
import { Badge } from '../../parts/Badge'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { ProblemNotice } from '../../parts/Notice'
import { Skeleton } from '../../parts/Skeleton'
import { type Column, Table } from '../../parts/Table'
import { epoch, onTold } from '../../state/connection'
import { zoneOf } from '../../state/overview'
import { t } from '../../words/words'
import { to } from '../routes'

type Event = components['schemas']['Event']

/** Events that are no alarm come in between; so more than a screenful is read. */
const PAGE = 100

interface Known {
  readonly events: readonly Event[]
  /** The cursor of what is older; null at the end, undefined until something was read. */
  readonly next: string | null | undefined
}
const NOTHING: Known = { events: [], next: undefined }

/** Alarms as they were raised and cleared, newest first; live, and older ones when asked for. */
export function Past({ site }: { site: string }) {
  const [known, setKnown] = useState<Known>(NOTHING)
  const [problem, setProblem] = useState<Problem>()
  const [busy, setBusy] = useState(false)

  const more = async (before: Known, signal?: AbortSignal) => {
    setBusy(true)
    try {
      const query = { ...(site && { site }), ...(before.next && { cursor: before.next }), limit: PAGE }
      const { body } = await read('/v1/events', { query, ...(signal && { signal }) })
      setKnown({ events: merged(before.events, body.items), next: body.next })
      setProblem(undefined)
      setBusy(false)
    } catch (error) {
      if (signal?.aborted) return
      setProblem(asProblem(error))
      setBusy(false)
    }
  }

  useEffect(() => {
    const control = new AbortController()
    setKnown(NOTHING)
    void more(NOTHING, control.signal)
    const stop = onTold('event', told => {
      if ('gone' in told || (site && told.site !== site)) return
      setKnown(before => ({ ...before, events: merged([told], before.events) }))
    })
    return () => {
      control.abort()
      stop()
    }
  }, [site, epoch.value])

  return (
    <Card title={t('alarms.past')}>
      {known.next === undefined && !problem ? (
        <Skeleton lines={5} />
      ) : (
        <Table
          caption={t('alarms.past')}
          columns={columns()}
          rows={known.events.filter(each => each.active !== null)}
          keyOf={each => each.id}
          empty={t('alarms.pastNone')}
        />
      )}
      {problem && <ProblemNotice problem={problem} again={() => void more(known)} />}
      {known.next && (
        <Button busy={busy} onClick={() => void more(known)}>
          {t('alarms.older')}
        </Button>
      )}
    </Card>
  )
}

/** Each once, the earlier list first. */
export function merged(first: readonly Event[], then: readonly Event[]): readonly Event[] {
  const known = new Set(first.map(each => each.id))
  return [...first, ...then.filter(each => !known.has(each.id))]
}

function columns(): readonly Column<Event>[] {
  return [
    {
      key: 'when',
      head: t('alarms.when'),
      cell: each => <time class="digits">{dateTime(each.at, zoneOf(each.site))}</time>,
    },
    {
      key: 'where',
      head: t('alarms.where'),
      cell: each => (
        <a href={to.device(each.site, each.device)}>
          <bdi>{`${each.site} · ${each.device}`}</bdi>
        </a>
      ),
    },
    {
      key: 'what',
      head: t('alarms.what'),
      cell: each => (
        <span class="past-what">
          <Badge tone={each.active ? (each.severity ?? 'warning') : 'ok'}>
            {t(each.active ? 'alarms.raised' : 'alarms.cleared')}
          </Badge>
          <bdi>{each.name}</bdi>
          <bdi class="quiet">{each.detail}</bdi>
        </span>
      ),
    },
  ]
}
