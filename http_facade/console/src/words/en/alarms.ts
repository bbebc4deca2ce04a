export const alarms = {
  title: 'Alarms',
} as const
