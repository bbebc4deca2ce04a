import type { English } from '../en'
import type { Translation } from '../types'

export const dose = {
  title: 'Alimentar',
  presets: 'Cantidades',
  where: '{device} en {site}',
  waitFor: 'La pausa mínima desde la última dosis termina en {time}.',
  limits: 'Límites del sitio',
  limitsUnknown: 'Ahora no se sabe cuánto queda de los límites.',
  left: 'Queda en {time}',
  leftOf: '{left} de {most}',
  largest: 'Dosis máxima',
  leastGap: 'Pausa mínima',
  mostPerDay: 'Máximo en 24 horas',
  nextIn: 'en {time}',
  siteDecides: 'Lo que el centro sabía {age}; decide el sitio.',
  interlocks: 'Enclavamientos',
  forbids: 'lo impide',
  allows: 'libre',
  interlock: 'Enclavamiento',
  live: 'Lectura',
  asked: 'Pedido',
  counted: 'Contado por el PLC',
  short: 'Faltan',
  sinceLast: 'Desde la última',
  soFar: 'Estaba en',
} satisfies Translation<English>['dose']
