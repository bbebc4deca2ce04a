export const commands = {
  title: 'Commands',
  one: 'Command',
} as const
