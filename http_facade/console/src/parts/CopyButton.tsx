import { useEffect, useState } from 'preact/hooks'
import { t } from '../words/words'
import { Button } from './Button'

const SAID_MS = 4_000

/** Copies a text, and says whether it did: some browsers let nobody do that on a page without TLS. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [said, setSaid] = useState<'copied' | 'notCopied'>()
  useEffect(() => {
    if (!said) return
    const end = setTimeout(() => setSaid(undefined), SAID_MS)
    return () => clearTimeout(end)
  }, [said])
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      setSaid('copied')
    } catch {
      setSaid('notCopied')
    }
  }
  return (
    <>
      <Button icon={said === 'copied' ? 'ok' : 'copy'} onClick={() => void copy()}>
        {label}
      </Button>
      <span class={said ? 'quiet' : 'unseen'} role="status">
        {said ? t(`common.${said}`) : ''}
      </span>
    </>
  )
}
