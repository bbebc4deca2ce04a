import './tokens.css'
import { useState } from 'preact/hooks'
import { read } from '../../api/client'
import { day } from '../../format/times'
import { Badge, type Tone } from '../../parts/Badge'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { ProblemNotice } from '../../parts/Notice'
import { Page } from '../../parts/Page'
import { Skeleton } from '../../parts/Skeleton'
import { type Column, Table } from '../../parts/Table'
import { useReading } from '../../state/reading'
import { t } from '../../words/words'
import { Accounts } from './Accounts'
import { MakeToken } from './MakeToken'
import { RevokeToken } from './RevokeToken'
import { inOrder, type Token } from './rights'
import { SitesOf } from './SitesOf'

const TONES: Record<Token['state'], Tone> = { good: 'ok', expired: 'unknown', revoked: 'unknown' }

/** What programs open this interface with: tokens, made and revoked; and who signs in with a browser. */
export default function Tokens() {
  const tokens = useReading(async signal => (await read('/v1/tokens', { signal })).body.items, [])
  const [making, setMaking] = useState(false)
  const [revoking, setRevoking] = useState<Token>()
  return (
    <Page
      title={t('tokens.title')}
      lead={t('tokens.lead')}
      actions={
        <Button kind="primary" icon="plus" onClick={() => setMaking(true)}>
          {t('tokens.make')}
        </Button>
      }
    >
      {tokens.problem && <ProblemNotice problem={tokens.problem} again={tokens.again} />}
      <Card title={t('tokens.tokens')}>
        {tokens.value ? (
          <Table
            caption={t('tokens.tokens')}
            columns={columnsOf(setRevoking)}
            rows={inOrder(tokens.value)}
            keyOf={token => token.id}
            empty={t('tokens.none')}
          />
        ) : (
          !tokens.problem && <Skeleton lines={5} />
        )}
      </Card>
      <Accounts />
      <MakeToken open={making} onMade={tokens.again} onClose={() => setMaking(false)} />
      <RevokeToken token={revoking} onRevoked={tokens.again} onClose={() => setRevoking(undefined)} />
    </Page>
  )
}

function columnsOf(onRevoke: (token: Token) => void): Column<Token>[] {
  return [
    { key: 'name', head: t('tokens.name'), cell: token => <Named token={token} /> },
    { key: 'role', head: t('tokens.role'), cell: token => t(`people.${token.role}`) },
    { key: 'sites', head: t('tokens.sites'), cell: token => <SitesOf sites={token.sites} /> },
    { key: 'made', head: t('tokens.made'), cell: token => <span class="digits">{day(token.created_at)}</span> },
    {
      key: 'state',
      head: t('tokens.state'),
      cell: token => (
        <span class="token-state">
          <Badge tone={TONES[token.state]}>{t(`tokens.${token.state}`)}</Badge>
          <span class="quiet digits">{until(token)}</span>
        </span>
      ),
    },
    {
      key: 'revoke',
      head: '',
      cell: token =>
        token.state === 'good' && (
          <Button aria-label={t('tokens.revokeOf', { name: token.name })} onClick={() => onRevoke(token)}>
            {t('tokens.revoke')}
          </Button>
        ),
    },
  ]
}

function Named({ token }: { token: Token }) {
  return (
    <span class="token-name">
      <strong>
        <bdi>{token.name}</bdi>
      </strong>
      <code class="quiet" dir="ltr">
        {token.id}
      </code>
    </span>
  )
}

function until({ state, expires_at: ends, revoked_at: revoked }: Token): string {
  if (state === 'revoked') return revoked ? day(revoked) : ''
  return ends ? t(state === 'good' ? 'tokens.until' : 'tokens.since', { day: day(ends) }) : ''
}
