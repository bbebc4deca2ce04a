import { to } from './routes'

/** A device that leads to its page, and its site beside it: in tables over several sites. */
export function DeviceLink({ site, device }: { site: string; device: string }) {
  return (
    <span>
      <a href={to.device(site, device)}>
        <bdi>{device}</bdi>
      </a>{' '}
      <span class="quiet">
        <bdi>{site}</bdi>
      </span>
    </span>
  )
}
