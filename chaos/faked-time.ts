import { execFile } from 'node:child_process'
import { rename, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { ensureInstalled } from '../test/support/debian.ts'

const run = promisify(execFile)

/** The system time of one process, as libfaketime gives it: the real one, shifted. Its monotonic clock stays real. */
export class FakedTime {
  /** What the process needs in its environment. */
  readonly env: Readonly<Record<string, string>>
  readonly #file: string

  private constructor(env: Readonly<Record<string, string>>, file: string) {
    this.env = env
    this.#file = file
  }

  /** Keeps the shift in `file`. Rejects with what to install where there is no libfaketime. */
  static async create(file: string): Promise<FakedTime> {
    const faketime = await ensureInstalled('faketime', 'faketime')
    // The command knows where its library is.
    const { stdout } = await run(faketime, ['-f', '+0', 'printenv', 'LD_PRELOAD'])
    const env = {
      LD_PRELOAD: stdout.trim(),
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }
    const time = new FakedTime(env, file)
    await time.shift(0)
    return time
  }

  /** Sets the system time of the process to the real one and `seconds` more, or less; within a second. */
  async shift(seconds: number): Promise<void> {
    await writeFile(`${this.#file}.new`, `${seconds < 0 ? '' : '+'}${seconds}\n`)
    await rename(`${this.#file}.new`, this.#file)
  }
}
