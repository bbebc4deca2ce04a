import type { English } from '../en'
import type { Translation } from '../types'
import { alarms } from './alarms'
import { audit } from './audit'
import { commands } from './commands'
import { common } from './common'
import { device } from './device'
import { dose } from './dose'
import { enrolment } from './enrolment'
import { feed } from './feed'
import { groups } from './groups'
import { history } from './history'
import { people } from './people'
import { problems } from './problems'
import { shell } from './shell'
import { signIn } from './signIn'
import { site } from './site'
import { sites } from './sites'
import { tokens } from './tokens'

export default {
  shell,
  signIn,
  sites,
  site,
  device,
  dose,
  feed,
  history,
  commands,
  groups,
  audit,
  alarms,
  people,
  tokens,
  enrolment,
  problems,
  common,
} satisfies Translation<English>
