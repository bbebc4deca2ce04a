import type { English } from '../en'
import type { Translation } from '../types'

export const feed = {
  title: 'Alimento',
  today: 'Alimento de hoy',
  of: 'Dados {fed} de {planned}',
  atLeast: 'Dados al menos {fed} de {planned}',
  fallen: '{amount} dados',
  planned: '{amount} previstos',
  due: '{amount} tocaban hasta ahora',
  short: 'faltan {amount}',
  unknown: '{amount} pedidos sin saber si cayeron',
  shortUnknown: 'no se sabe si falta',
  notKnown: 'No se sabe cuánto cayó',
  planUnknown: 'no se sabe cuánto está previsto',
  noFeeders: 'No se conocen comederos',
} satisfies Translation<English>['feed']
