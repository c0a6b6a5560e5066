import type { Round, Turn } from './suite.ts'

/** Middle and extremes of one figure over all rounds. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (index: number): number => sorted[index] ?? Number.NaN
  const middle = (sorted.length - 1) / 2
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  }
}

/** One figure of a contestant divided by the ceiling's of the same round, over all rounds. */
export function ratioTo(ceiling: string, name: string, figure: keyof Turn, rounds: readonly Round[]): Spread {
  return spread(rounds.map((round) => turn(round, name)[figure] / turn(round, ceiling)[figure]))
}

export function turn(round: Round, name: string): Turn {
  const found = round[name]
  if (found === undefined) throw new Error(`no contestant is called ${name}`)
  return found
}
