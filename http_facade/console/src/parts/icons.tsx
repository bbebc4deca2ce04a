/** Our own drawings, on a grid of 24; a line of 1.75. What an icon means is always said in words beside it. */
const PATHS = {
  sites: 'M4 20V9.5L12 4l8 5.5V20M9 20v-6h6v6',
  alarms: 'M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 21h4',
  commands: 'M4 6h16M4 12h10M4 18h7M16 16l2.5 2.5L22 14',
  groups: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z',
  audit: 'M6 3h9l4 4v14H6zM14 3v5h5M9 13h7M9 17h5',
  tokens: 'M8 15a4 4 0 1 1 3.9-5H21v4h-3v-2h-2v2h-4.1A4 4 0 0 1 8 15z',
  enrolment: 'M12 4v10M8 10l4 4 4-4M4 16v4h16v-4',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  account: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c.8-4 4-6 8-6s7.2 2 8 6',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5 21 21',
  close: 'M6 6l12 12M18 6 6 18',
  ok: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8 12.500l3 3 5-6',
  warning: 'M12 4 2.5 20h19zM12 10v4.500M12 17.500h.01',
  critical: 'M8 3h8l5 5v8l-5 5H8l-5-5V8zM12 8v5M12 16.500h.01',
  unknown: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9.5 9.500a2.5 2.5 0 1 1 3.5 2.300c-.7.3-1 .8-1 1.700M12 17h.01',
  information: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5.500M12 7.500h.01',
  live: 'M2 12h4l3-7 5 14 3-7h5',
  offline:
    'M3 3l18 18M8 8.500C5.5 9.5 3.5 11 2 12.500M22 12.500a15 15 0 0 0-9-4M6 16.500a9 9 0 0 1 6-2.500M18 16.500l-1-.8M12 20h.01',
  history: 'M4 20V4M4 20h16M7 15l4-5 3 3 5-7',
  feed: 'M3 12c3-5 8-6 12-3l5-4v14l-5-4c-4 3-9 2-12-3zM8 11h.01',
  plc: 'M5 4h14v16H5zM9 8h6M9 12h.01M12 12h.01M15 12h.01M9 16h.01M12 16h.01M15 16h.01',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  next: 'M9 5l7 7-7 7',
  down: 'M5 9l7 7 7-7',
  meals: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.500 2',
  stop: 'M7 7h10v10H7z',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  save: 'M12 4v11M7.5 11l4.500 4.500 4.500-4.500M4 20h16',
  back: 'M15 5l-7 7 7 7',
  print: 'M7 9V4h10v5M7 17H4v-7h16v7h-3M7 14h10v6H7z',
  hand: 'M8 13V6a1.500 1.500 0 0 1 3 0v5V4.500a1.500 1.500 0 0 1 3 0V11V6a1.500 1.500 0 0 1 3 0v9c0 4-2 6-5.500 6S7 19 5 14.500c-.6-1.500 1.500-2.500 3-.5',
} as const

export type IconName = keyof typeof PATHS

/** Decorative by itself: assistive technology reads the words. `next` and `back` turn round where the language runs the other way. */
export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      class={name === 'next' || name === 'back' ? 'icon icon-turns' : 'icon'}
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width={name === 'more' ? 3 : 1.75}
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}

/** The mark: a gate with the tide in it. */
export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg class="mark" width={size} height={size} viewBox="0 0 100 100" fill="none" stroke-width="7" aria-hidden="true">
      <rect class="mark-ground" width="100" height="100" rx="22" />
      <path class="mark-foam" d="M24 24V80M76 24V80" />
      <path
        class="mark-foam"
        d="M24 42q6.5-9 13 0t13 0 13 0 13 0M24 56q6.5-9 13 0t13 0 13 0 13 0M24 70q6.5-9 13 0t13 0 13 0 13 0"
      />
    </svg>
  )
}
