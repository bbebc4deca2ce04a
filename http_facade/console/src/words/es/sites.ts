import type { English } from '../en'
import type { Translation } from '../types'

export const sites = {
  title: 'Sitios',
  lead: { one: '{count} sitio', other: '{count} sitios' },
  online: 'En línea',
  silent: 'En silencio',
  unknown: 'Desconocido',
  heard: 'Señal {age}',
  onlineSince: 'Desde {time}',
  silentSince: 'En silencio desde {time}, {age}',
  neverHeard: 'Nunca se ha oído',
  cannotTell: 'Ahora no se puede saber: {cause}',
  lastKnown: 'No se sabe ahora; último dato a las {time}, {age}',
  writesUnknown: 'No se sabe si se pueden dar órdenes',
  writesPossible: 'Se pueden dar órdenes',
  writesClosed: 'Las órdenes se rechazan hasta que vuelva la señal',
  plcsOk: { one: '{count} PLC responde', other: '{count} PLC responden' },
  plcsLost: 'PLC perdido: {names}',
  plcsUnknown: 'PLC desconocidos',
  plcsLast: 'PLC según el último informe',
  outbox: { one: '{count} registro espera en el sitio', other: '{count} registros esperan en el sitio' },
  agent: 'Agente {version}',
  alarms: { one: '{count} alarma', other: '{count} alarmas' },
  none: 'Aún no hay sitios',
  noneHint: 'Un sitio aparece aquí cuando su agente se conecta por primera vez.',
  summaryOnline: '{online} de {all} en línea',
} satisfies Translation<English>['sites']
