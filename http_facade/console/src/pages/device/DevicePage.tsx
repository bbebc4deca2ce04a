import { Page } from '../../parts/Page'

export default function DevicePage({ params }: { params: { site: string; device: string } }) {
  return <Page title={params.device} />
}
