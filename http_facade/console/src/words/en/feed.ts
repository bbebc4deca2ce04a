export const feed = {
  title: 'Feed',
  today: 'Fed today',
  of: '{fed} of {planned}',
  fallen: '{amount} fed',
  planned: '{amount} planned',
  due: '{amount} due by now',
  short: '{amount} short',
  unknown: '{amount} asked, and not known to have fallen',
  shortUnknown: 'shortfall not known',
  notKnown: 'Not known what fell',
  planUnknown: 'what is planned is not known',
  noFeeders: 'No feeders are known',
} as const
