import { useState } from 'preact/hooks'
import { Button } from '../../parts/Button'
import { Field } from '../../parts/Field'
import { Select } from '../../parts/Select'
import { sites } from '../../state/sites'
import { t } from '../../words/words'
import { type Filters, KINDS, type Kind, NONE } from './filters'

/** What to look for. Lists hold at once; what is written when it is sent, so that half a name finds nothing. */
export function AuditFilters({ filters, onChange }: { filters: Filters; onChange: (filters: Filters) => void }) {
  const [typed, setTyped] = useState(filters)
  const write = (part: Partial<Filters>) => setTyped({ ...typed, ...part })
  const choose = (part: Partial<Filters>) => {
    const next = { ...typed, ...part }
    setTyped(next)
    onChange(next)
  }
  const names = [...new Set([...(sites.value?.keys() ?? []), ...(filters.site ? [filters.site] : [])])].sort()
  const filtered = JSON.stringify(filters) !== JSON.stringify(NONE)
  return (
    <form
      class="filters"
      onSubmit={event => {
        event.preventDefault()
        onChange(typed)
      }}
    >
      <Select
        label={t('audit.site')}
        value={typed.site}
        options={[{ value: '', label: t('audit.everySite') }, ...names.map(value => ({ value, label: value }))]}
        onChange={site => choose({ site })}
      />
      <Select
        label={t('audit.kind')}
        value={typed.kind}
        options={[
          { value: '' as Kind | '', label: t('audit.everyKind') },
          ...KINDS.map(value => ({ value: value as Kind | '', label: t(`audit.${value}`) })),
        ]}
        onChange={kind => choose({ kind })}
      />
      <Field
        label={t('audit.person')}
        value={typed.person}
        onInput={person => write({ person })}
        autocapitalize="none"
        autocomplete="off"
        spellcheck={false}
        placeholder="dana, @ana"
      />
      <Field type="datetime-local" label={t('history.from')} value={typed.from} onInput={from => write({ from })} />
      <Field type="datetime-local" label={t('history.to')} value={typed.to} onInput={until => write({ to: until })} />
      <div class="filters-actions">
        <Button type="submit" kind="primary" icon="search">
          {t('audit.find')}
        </Button>
        {filtered && <Button onClick={() => choose(NONE)}>{t('audit.all')}</Button>}
      </div>
    </form>
  )
}
