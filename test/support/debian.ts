import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Debian keeps servers where the PATH of users other than root does not look. */
const SERVER_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/libexec']

/**
 * The path of a command, from its Debian package where it is not installed yet (that takes root). Rejects with
 * what to install when that is impossible.
 */
export async function ensureInstalled(command: string, debianPackage: string): Promise<string> {
  const found = findCommand(command)
  if (found !== undefined) return found
  const hint = `the tests need ${command}: install the package ${debianPackage}`
  if (process.getuid?.() !== 0 || findCommand('apt-get') === undefined) throw new Error(hint)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  try {
    await run('apt-get', ['update', '-qq'], { env })
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', debianPackage], { env })
  } catch (error) {
    throw new Error(hint, { cause: error })
  }
  const installed = findCommand(command)
  if (installed === undefined) throw new Error(`${hint}; apt-get installed no such command`)
  return installed
}

/** The path of a command that is installed. */
export function findCommand(command: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SERVER_FOLDERS]
  return folders.map((folder) => join(folder, command)).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
