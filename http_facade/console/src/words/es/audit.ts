import type { English } from '../en'
import type { Translation } from '../types'

export const audit = {
  title: 'Auditoría',
  lead: 'Todo lo que alguien quiso cambiar, lo más reciente primero; horas en {zone}',
  csv: 'Todo lo filtrado (CSV)',
  none: 'No hay ninguna fila así.',
  at: 'Cuándo',
  who: 'Quién',
  what: 'Qué',
  changes: 'Antes → después',
  outcome: 'Resultado',
  site: 'Sitio',
  everySite: 'Todos los sitios',
  kind: 'Clase',
  everyKind: 'Todas las clases',
  person: 'Persona o programa',
  find: 'Buscar',
  all: 'Mostrar todo',
  asked: 'Pedido',
  refused: 'Rechazado',
  cancel: 'Anulación pedida',
  ended: 'Terminado',
  done: 'Hecho en la central',
  verifyTitle: '¿Ha cambiado alguien una fila?',
  verifyWhy:
    'Cada fila guarda una suma de sí misma y de la anterior, y la base de datos se niega a cambiar o borrar ninguna. Si la cadena es íntegra lo dice, en el servidor:',
  verifyKeep:
    'Guarde fuera del servidor la última línea que imprime. Con ella se descubre también una cadena que alguien hubiera rehecho:',
} satisfies Translation<English>['audit']
