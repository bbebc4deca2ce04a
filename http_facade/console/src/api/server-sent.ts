/** One event of the stream; without a name and data it carries only the number. */
export interface ServerSent {
  readonly name: string
  readonly data: string
  readonly id: string | undefined
}

/** Takes text in pieces of any size, gives the events that are whole (WHATWG HTML, section 9.2.6); the facade ends lines with LF. */
export function parser(): (text: string) => ServerSent[] {
  let rest = ''
  return text => {
    const blocks = (rest + text).split('\n\n')
    rest = blocks.pop() ?? ''
    return blocks.map(event)
  }
}

function event(block: string): ServerSent {
  const fields = new Map<string, string[]>()
  for (const line of block.split('\n')) {
    const [, name, value] = /^([^:]+)(?:: ?(.*))?$/.exec(line) ?? []
    if (name) fields.set(name, [...(fields.get(name) ?? []), value ?? ''])
  }
  return {
    name: fields.get('event')?.at(-1) ?? '',
    data: fields.get('data')?.join('\n') ?? '',
    id: fields.get('id')?.at(-1),
  }
}
