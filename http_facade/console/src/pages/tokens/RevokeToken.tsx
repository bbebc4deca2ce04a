import { useState } from 'preact/hooks'
import { change } from '../../api/client'
import { asProblem, type Problem } from '../../api/problem'
import { Button } from '../../parts/Button'
import { Dialog } from '../../parts/Dialog'
import { ProblemNotice } from '../../parts/Notice'
import { t } from '../../words/words'
import type { Token } from './rights'

export interface RevokeTokenProps {
  token: Token | undefined
  onRevoked: () => void
  onClose: () => void
}

/** Asks once more, since it cannot be taken back: whoever uses the token is shut out within seconds. */
export function RevokeToken({ token, onRevoked, onClose }: RevokeTokenProps) {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const close = () => {
    setProblem(undefined)
    onClose()
  }
  const revoke = async () => {
    if (!token) return
    setBusy(true)
    setProblem(undefined)
    try {
      await change('delete', '/v1/tokens/{id}', { path: { id: token.id } })
      close()
    } catch (error) {
      setProblem(asProblem(error))
    } finally {
      setBusy(false)
      // Whatever the answer was: the list says how it is.
      onRevoked()
    }
  }
  return (
    <Dialog
      open={token !== undefined}
      title={t('tokens.revokeTitle')}
      onClose={close}
      actions={
        <>
          <Button onClick={close}>{t('common.cancel')}</Button>
          <Button kind="danger" busy={busy} onClick={() => void revoke()}>
            {t('tokens.revoke')}
          </Button>
        </>
      }
    >
      {problem && <ProblemNotice problem={problem} />}
      <p>{t('tokens.revokeWhat', { name: token?.name ?? '' })}</p>
    </Dialog>
  )
}
