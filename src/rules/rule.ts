import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { SequenceError } from '../core/errors.ts'
import { ID_END } from '../core/id.ts'
import { SCRIPT_FILE_BYTES_MAX } from './limits.ts'
import { type ScriptSettings, ScriptThread } from './script-thread.ts'

/** A rule as the configuration has it. */
export interface RuleConfig {
  readonly name: string
  /** From the working folder, where it is not absolute. */
  readonly lua_file: string
  /** Numbers reserved at a time. */
  readonly batch_save: number
}

/** A rule with its script, which is loaded. */
export interface LoadedRule {
  readonly config: RuleConfig
  readonly source: string
  readonly settings: ScriptSettings
  readonly thread: ScriptThread
}

/** Reads a rule's script. Rejects with RULE_FAILED. */
export async function readScript({ lua_file }: RuleConfig): Promise<string> {
  const file = resolve(lua_file)
  try {
    const source = await readFile(file, 'utf8')
    if (source.length > SCRIPT_FILE_BYTES_MAX)
      throw new Error(`it is larger than ${SCRIPT_FILE_BYTES_MAX} bytes`)
    return source
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new SequenceError(
      'RULE_FAILED',
      code === 'ENOENT' ? `there is no file ${file}` : `${file}: cannot be read: ${message}`,
    )
  }
}

/** Starts the thread of a rule. Rejects with RULE_FAILED, whose message names the file, and the line where there is one. */
export async function loadRule(config: RuleConfig, source: string, offset: number): Promise<LoadedRule> {
  const file = resolve(config.lua_file)
  const thread = new ScriptThread({ name: file, text: source })
  try {
    const settings = await thread.open()
    checkSettings(file, settings, offset)
    return { config, source, settings, thread }
  } catch (error) {
    thread.close()
    throw error
  }
}

function checkSettings(file: string, { min, max, resetSeconds }: ScriptSettings, offset: number): void {
  const first = min + BigInt(offset)
  if (min < 0n || max >= ID_END || first > max)
    throw new SequenceError(
      'RULE_FAILED',
      `${file}: min_counter() is ${min} and max_counter() is ${max}: the minimum must be 0 or more, and with id_offset ${offset} no more than the maximum`,
    )
  if (resetSeconds > Number.MAX_SAFE_INTEGER)
    throw new SequenceError(
      'RULE_FAILED',
      `${file}: reset_seconds() is ${resetSeconds}: return 0 for a counter that never starts again`,
    )
}
