import type { Calendar } from './calendar.ts'
import { localTimeOf } from './time-zone.ts'

/** What a script is told of a moment, as the line that `Sandbox.run` takes. */
export function timeLineOf(calendar: Calendar, seconds: number): string {
  const { year, month, day, hour, minute, second } = localTimeOf(calendar.localAt(seconds))
  return `\t${year} ${month} ${day} ${hour} ${minute} ${second}\n`
}
