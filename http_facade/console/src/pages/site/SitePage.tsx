import { Page } from '../../parts/Page'

export default function SitePage({ params }: { params: { site: string } }) {
  return <Page title={params.site} />
}
