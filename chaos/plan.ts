import { parseArgs } from 'node:util'

/** What to do to the fleet. */
export type Plan =
  /** Every kind of fault once, then faults at random until the time is over. */
  | { readonly mode: 'mixed'; readonly minutes: number }
  /** So many kill -9, and nothing else. */
  | { readonly mode: 'kills'; readonly instances: number; readonly mariadbd: number }
  /** So many COMMITs of leases cut, half of them before the server got them and half after, and nothing else. */
  | { readonly mode: 'cuts'; readonly cuts: number }

const MINUTES = 5
const SEED_END = 2 ** 31

/** Reads the command line. Throws an Error that says what is wrong with it. */
export function readPlan(args: readonly string[]): { plan: Plan; seed: number } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string' },
      kills: { type: 'string' },
      cuts: { type: 'string' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * SEED_END)) },
    },
  })
  const { minutes, kills, cuts } = values
  if ([minutes, kills, cuts].filter((value) => value !== undefined).length > 1)
    throw new Error('give one of --minutes, --kills and --cuts')
  return { plan: planOf(minutes, kills, cuts), seed: wholeNumber('seed', values.seed, 0, SEED_END - 1) }
}

function planOf(minutes = String(MINUTES), kills?: string, cuts?: string): Plan {
  if (cuts !== undefined) return { mode: 'cuts', cuts: wholeNumber('cuts', cuts, 2) }
  if (kills === undefined) {
    const number = Number(minutes)
    if (minutes !== '' && number >= 0 && number < Number.POSITIVE_INFINITY)
      return { mode: 'mixed', minutes: number }
    throw new Error(`--minutes takes a number from 0, not ${minutes}`)
  }
  const counts = { instances: 0, mariadbd: 0 }
  for (const part of kills.split(',')) {
    const [name, count = ''] = part.split('=')
    if (name !== 'instances' && name !== 'mariadbd')
      throw new Error(`--kills takes instances=N,mariadbd=N, not ${kills}`)
    counts[name] = wholeNumber('kills', count, 0)
  }
  return { mode: 'kills', ...counts }
}

function wholeNumber(flag: string, text: string, least: number, greatest = Number.MAX_SAFE_INTEGER): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= least && number <= greatest) return number
  throw new Error(`--${flag} takes a whole number from ${least}, not ${text}`)
}
