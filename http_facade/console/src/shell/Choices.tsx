import { Select } from '../parts/Select'
import { type Theme, theme } from '../state/preferences'
import { LANGUAGES, type Language, language, speak, t } from '../words/words'

const NAMES = Object.entries(LANGUAGES).map(([value, label]) => ({ value: value as Language, label }))

export function LanguageChoice() {
  return (
    <Select label={t('shell.language')} value={language()} options={NAMES} onChange={wanted => void speak(wanted)} />
  )
}

export function ThemeChoice() {
  const options: { value: Theme; label: string }[] = [
    { value: 'system', label: t('shell.themeSystem') },
    { value: 'light', label: t('shell.themeLight') },
    { value: 'dark', label: t('shell.themeDark') },
  ]
  return (
    <Select
      label={t('shell.theme')}
      value={theme.value}
      options={options}
      onChange={wanted => {
        theme.value = wanted
      }}
    />
  )
}
