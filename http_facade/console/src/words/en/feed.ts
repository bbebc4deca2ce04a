export const feed = {
  title: 'Feed',
} as const
