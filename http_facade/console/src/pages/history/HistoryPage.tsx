import './history.css'
import './chart.css'
import { useEffect, useState } from 'preact/hooks'
import { duration } from '../../format/ages'
import { stretch as inWords } from '../../format/times'
import { Card } from '../../parts/Card'
import { Notice, ProblemNotice } from '../../parts/Notice'
import { Skeleton } from '../../parts/Skeleton'
import { type Description, useDescription } from '../../state/description'
import { useZone } from '../../state/zone'
import { t } from '../../words/words'
import { Chart, heightFor, useDark } from './Chart'
import { CourseTable } from './CourseTable'
import { type Line, lineOf } from './course'
import { Files } from './Files'
import { type Courses, useCourses, useMarks, useNow } from './following'
import { HistoryHead } from './HistoryHead'
import { Legend } from './Legend'
import { inks, type Look, lookOf, MOST_LINES } from './looks'
import { Properties } from './Properties'
import { Range } from './Range'
import { type Looked, looked, query, type Stretch, stretchOf, type View, viewOf } from './stretch'
import { useWidth } from './width'

/** What was read of a device, over any stretch of time. */
export default function HistoryPage({ params }: { params: { site: string; device: string } }) {
  const { site, device } = params
  const description = useDescription(site, device)
  const zone = useZone(site)
  return (
    <HistoryHead site={site} device={device} title={description.value?.title ?? device} here="chart" zone={zone}>
      {description.problem && <ProblemNotice problem={description.problem} again={description.again} />}
      {description.value && zone ? (
        <History key={`${site}/${device}`} site={site} device={device} description={description.value} zone={zone} />
      ) : (
        !description.problem && (
          <Card>
            <Skeleton lines={8} />
          </Card>
        )
      )}
    </HistoryHead>
  )
}

interface Place {
  site: string
  device: string
}

function History({ site, device, description, zone }: Place & { description: Description; zone: string }) {
  const [wanted, setWanted] = useState(() => begin(description))
  const { properties, view } = wanted
  const [host, width] = useWidth<HTMLDivElement>()
  const points = Math.max(100, Math.round(width))
  const nowMs = useNow(view, points)
  const stretch = stretchOf(view, nowMs)
  useEffect(() => {
    // The address shows the same to whoever gets it; the way back leads to the page before, not to every zoom.
    history.replaceState(history.state, '', `?${query({ properties, view })}`)
  }, [properties, view])
  const show = (next: Stretch) => setWanted(before => ({ ...before, view: viewOf(next, nowMs) }))
  return (
    <>
      <Card>
        <Range
          view={view}
          stretch={stretch}
          zone={zone}
          onView={(next: View) => setWanted(before => ({ ...before, view: next }))}
          onStretch={show}
        />
        <Properties
          description={description}
          chosen={properties}
          onChange={next => setWanted(before => ({ ...before, properties: next }))}
        />
      </Card>
      <Card>
        <div ref={host} class="course">
          {width > 0 && (
            <CourseOf
              key={properties.join()}
              place={{ site, device }}
              description={description}
              properties={properties}
              stretch={stretch}
              live={view.endMs === undefined}
              points={points}
              zone={zone}
              width={width}
              onStretch={show}
            />
          )}
        </div>
      </Card>
    </>
  )
}

/** What the address asks for, as far as there is such a thing; at first a reading in numbers. */
function begin({ properties = {} }: Description): Looked {
  const asked = looked(new URLSearchParams(location.search))
  const known = asked.properties.slice(0, MOST_LINES)
  const numbers = Object.entries(properties).filter(([, each]) => each.type === 'number' || each.type === 'integer')
  const first = numbers.find(([, each]) => each.readOnly) ?? numbers[0] ?? Object.entries(properties)[0]
  return { view: asked.view, properties: known.length > 0 || !first ? known : [first[0]] }
}

interface CourseProps {
  place: Place
  description: Description
  properties: readonly string[]
  stretch: Stretch
  live: boolean
  points: number
  zone: string
  width: number
  onStretch: (wanted: Stretch) => void
}

function CourseOf({ place, description, properties, stretch, live, points, zone, width, onStretch }: CourseProps) {
  const courses = useCourses(place, properties, stretch, points)
  const marks = useMarks(place, stretch, live)
  const [atMs, setAtMs] = useState<number>()
  const [canvas, setCanvas] = useState<HTMLCanvasElement>()
  const drawn = useDrawn(courses.value, description)
  const shownFrom = courses.value ?? stretch
  const range = inWords(shownFrom.fromMs, shownFrom.toMs, zone)
  const label = t('history.chartOf', { titles: drawn?.looks.map(each => each.title).join(', ') ?? '', range })
  if (properties.length === 0) return <Notice tone="accent">{t('history.chooseOne')}</Notice>
  return (
    <>
      {courses.problem && <ProblemNotice problem={courses.problem} />}
      {marks.problem && <ProblemNotice problem={marks.problem} />}
      {!drawn && !courses.problem && <Skeleton lines={1} blockSize={`${heightFor(width)}px`} />}
      {drawn && (
        <>
          <Legend lines={drawn.lines} looks={drawn.looks} atMs={atMs} zone={zone} />
          {drawn.lines.some(each => each.tooMany) && <Notice tone="accent">{t('history.tooManyWords')}</Notice>}
          <div class="chart-frame" aria-busy={courses.loading}>
            <Chart
              lines={drawn.lines}
              looks={drawn.looks}
              stretch={stretch}
              marks={marks.value?.marks ?? []}
              zone={zone}
              width={width}
              label={label}
              onStretch={onStretch}
              onMoment={setAtMs}
              onCanvas={setCanvas}
            />
          </div>
          <p class="quiet digits">{detail(drawn.lines)}</p>
          {marks.value?.more && <p class="quiet">{t('history.moreMarks')}</p>}
          <Files
            place={place}
            title={`${description.title} · ${place.site}`}
            stretch={shownFrom}
            range={range}
            looks={drawn.looks}
            canvas={canvas}
          />
          <CourseTable lines={drawn.lines} looks={drawn.looks} zone={zone} />
        </>
      )}
    </>
  )
}

/** Lines and looks of what was answered; the same as before while that is the same. */
function useDrawn(courses: Courses | undefined, description: Description) {
  const dark = useDark()
  const [drawn, setDrawn] = useState<{ lines: Line[]; looks: Look[] }>()
  useEffect(() => {
    if (!courses) return
    const schemas = description.properties ?? {}
    const lines = courses.of.map(each => lineOf(each, schemas[each.property]))
    const colours = inks().series
    setDrawn({ lines, looks: lines.map((each, place) => lookOf(each, schemas[each.property], place, colours)) })
  }, [courses, description, dark])
  return drawn
}

/** Whether every sample is drawn, or what buckets of which length come to. */
function detail(lines: readonly Line[]): string {
  const widthMs = Math.max(0, ...lines.map(each => each.widthMs ?? 0))
  const count = lines.reduce((sum, each) => sum + each.value.filter(value => value !== null).length, 0)
  if (count === 0) return t('history.nothing')
  return widthMs > 0 ? t('history.buckets', { width: duration(widthMs / 1_000) }) : t('history.samples', { count })
}
