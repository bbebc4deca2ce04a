import type { English } from '../en'
import type { Translation } from '../types'

export const signIn = {
  title: 'Iniciar sesión',
  lead: 'Vea qué hacen sus sitios y qué fue de lo que usted pidió.',
  name: 'Usuario',
  password: 'Contraseña',
  show: 'Mostrar contraseña',
  submit: 'Entrar',
  submitting: 'Entrando …',
  wrong: 'El usuario y la contraseña no coinciden.',
  tooMany: 'Demasiados intentos fallidos. Pruebe en {seconds} s.',
  unreachable: 'El servidor no responde. Compruebe la conexión e inténtelo de nuevo.',
  ended: 'Su sesión ha terminado. Inicie sesión de nuevo.',
  nameMissing: 'Escriba su usuario.',
  passwordMissing: 'Escriba su contraseña.',
  nameHint: 'Minúsculas, cifras y guiones, por ejemplo dana',
} satisfies Translation<English>['signIn']
