export const site = {
  title: 'Site',
} as const
