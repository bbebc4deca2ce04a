import { useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { Button } from '../../parts/Button'
import { Field } from '../../parts/Field'
import { Select } from '../../parts/Select'
import { devicesOf } from '../../state/devices'
import { sites } from '../../state/sites'
import { t } from '../../words/words'
import { to } from '../routes'
import { FILTERS, type Filter, type Filters } from './filters'
import { STATES, stateWords } from './StateBadge'

/** What of the ledger is shown; it stands in the page's address, so that it can be kept and sent. */
export function FilterBar({ filters }: { filters: Filters }) {
  const { route } = useLocation()
  const [person, setPerson] = useState(filters.actor ?? '')
  const choose = (changed: Filters) => {
    const next = { ...filters, ...changed }
    const asked = new URLSearchParams(FILTERS.flatMap(name => (next[name] ? [[name, next[name]]] : [])))
    route(asked.size > 0 ? `${to.commands()}?${asked}` : to.commands(), true)
  }
  const names = [...(sites.value?.keys() ?? [])].sort()
  return (
    <form
      class="filters"
      aria-label={t('commands.filters')}
      onSubmit={event => {
        event.preventDefault()
        choose({ actor: person.trim() })
      }}
    >
      <Select
        label={t('commands.site')}
        value={filters.site ?? ''}
        options={withAny(names, t('commands.anySite'), filters.site)}
        onChange={site => choose({ site, device: '' })}
      />
      <Devices filters={filters} onChange={device => choose({ device })} />
      <Select
        label={t('commands.state')}
        value={filters.state ?? ''}
        options={[
          { value: '', label: t('commands.anyState') },
          ...STATES.map(state => ({ value: state as string, label: stateWords(state) })),
        ]}
        onChange={state => choose({ state })}
      />
      <Field
        label={t('commands.person')}
        value={person}
        onInput={setPerson}
        onBlur={() => {
          if (person.trim() !== (filters.actor ?? '')) choose({ actor: person.trim() })
        }}
        autocomplete="off"
        spellcheck={false}
      />
      {(['from', 'to'] as const).map(end => (
        <Moment key={end} end={end} filters={filters} onChange={choose} />
      ))}
      {Object.keys(filters).length > 0 && (
        <Button
          icon="close"
          onClick={() => {
            setPerson('')
            route(to.commands(), true)
          }}
        >
          {t('commands.clear')}
        </Button>
      )}
    </form>
  )
}

function Moment({
  end,
  filters,
  onChange,
}: {
  end: Filter & ('from' | 'to')
  filters: Filters
  onChange: (changed: Filters) => void
}) {
  return (
    <Field
      label={t(`commands.${end}`)}
      type="datetime-local"
      value={filters[end] ?? ''}
      onInput={value => onChange({ [end]: value })}
    />
  )
}

function Devices({ filters, onChange }: { filters: Filters; onChange: (device: string) => void }) {
  const known = filters.site ? [...(devicesOf(filters.site).value.devices?.keys() ?? [])] : []
  return (
    <Select
      label={t('commands.device')}
      value={filters.device ?? ''}
      options={withAny(known, t('commands.anyDevice'), filters.device)}
      onChange={onChange}
      disabled={!filters.site && !filters.device}
    />
  )
}

/** Also what the address names and nobody knows (any more). */
function withAny(names: readonly string[], any: string, chosen: string | undefined) {
  const all = chosen && !names.includes(chosen) ? [...names, chosen] : names
  return [{ value: '', label: any }, ...all.map(value => ({ value, label: value }))]
}
