import './navigation.css'
import { useLocation } from 'preact-iso'
import { HOME, PLACES, type Place } from '../pages/routes'
import { Icon } from '../parts/icons'
import { Menu } from '../parts/Menu'
import { may } from '../state/session'
import { t } from '../words/words'
import { GoToSite } from './GoToSite'

/** So many stand in the bar of a phone; the others behind "more". */
const IN_THE_BAR = 4

/** At the side of a desktop, at the foot of a phone. */
export function Navigation() {
  const { path } = useLocation()
  const places = PLACES.filter(place => may(place.needs))
  return (
    <nav class="navigation" aria-label={t('shell.navigation')}>
      <ul class="places">
        {places.map((place, index) => (
          <li key={place.path} class={index < IN_THE_BAR ? undefined : 'place-beyond'}>
            <PlaceLink place={place} path={path} />
          </li>
        ))}
        <li class="place-more">
          <Menu label={t('shell.more')} icon="more" upwards showLabel>
            {close => (
              <>
                <GoToSite onGone={close} />
                <ul class="places-more">
                  {places.slice(IN_THE_BAR).map(place => (
                    <li key={place.path}>
                      <PlaceLink place={place} path={path} onClick={close} />
                    </li>
                  ))}
                </ul>
              </>
            )}
          </Menu>
        </li>
      </ul>
    </nav>
  )
}

function PlaceLink({ place, path, onClick }: { place: Place; path: string; onClick?: () => void }) {
  const sites = place.path === `${HOME}/`
  const here = sites ? path === HOME || path.startsWith(`${HOME}/sites`) : path.startsWith(place.path)
  return (
    <a class="place" href={place.path} aria-current={here ? 'page' : undefined} onClick={onClick}>
      <Icon name={place.icon} size={22} />
      <span>{t(place.words)}</span>
    </a>
  )
}
