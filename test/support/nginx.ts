import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureInstalled } from './debian.ts'
import { freePort } from './free-port.ts'
import { ROOT } from './root.ts'
import { until } from './until.ts'

const DEPLOYED_CONFIG = join(ROOT, 'deploy/nginx.conf')
const START_MS_MAX = 10_000

/** A real nginx with the settings of deploy/nginx.conf: only its addresses are others. */
export class Nginx {
  readonly url: string
  readonly #file: string
  readonly #folder: string
  #child: ChildProcess | undefined

  private constructor(url: string, file: string, folder: string) {
    this.url = url
    this.#file = file
    this.#folder = folder
  }

  /** Starts it in front of three instances on these ports of 127.0.0.1, and waits until it answers. */
  static async start(ports: readonly [number, number, number]): Promise<Nginx> {
    const file = await ensureInstalled('nginx', 'nginx-light')
    const folder = await mkdtemp(join(tmpdir(), 'seqsvr-nginx-'))
    const listenPort = await freePort()
    await writeFile(
      join(folder, 'nginx.conf'),
      withAddresses(await readFile(DEPLOYED_CONFIG, 'utf8'), listenPort, ports),
    )
    const nginx = new Nginx(`http://127.0.0.1:${listenPort}`, file, folder)
    await nginx.restart()
    return nginx
  }

  /** Ends it, where it runs, with its connections, and starts it again on the same port. Resolves when it answers. */
  async restart(): Promise<void> {
    await this.#end()
    const folder = this.#folder
    const directives = `daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log notice;`
    const child = spawn(this.#file, ['-p', folder, '-c', 'nginx.conf', '-e', 'error.log', '-g', directives], {
      stdio: 'ignore',
    })
    this.#child = child
    try {
      await until(START_MS_MAX, async () => {
        if (child.pid === undefined || child.exitCode !== null) throw new Error('it ended')
        const response = await fetch(`${this.url}/livez`).catch(() => undefined)
        await response?.body?.cancel().catch(() => {})
        return response !== undefined
      })
    } catch (error) {
      const log = await this.log()
      await this.stop()
      throw new Error(`nginx did not start\n${log}`, { cause: error })
    }
  }

  /** Has it read its configuration again: new workers take over, the old ones finish their requests and end. */
  reload(): void {
    this.#child?.kill('SIGHUP')
  }

  /** What it has written to its error log. */
  log(): Promise<string> {
    return readFile(join(this.#folder, 'error.log'), 'utf8')
  }

  async stop(): Promise<void> {
    await this.#end()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #end(): Promise<void> {
    const child = this.#child
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    await exit
  }
}

/** Its own address instead of `listen 8080`, and loopback instead of the hosts of compose.yml, which need `resolve`. */
function withAddresses(config: string, listenPort: number, ports: readonly number[]): string {
  let deployed = replaceOnce(config, 'listen 8080;', `listen 127.0.0.1:${listenPort};`)
  ports.forEach((port, index) => {
    deployed = replaceOnce(deployed, `server seqsvr-${index + 1}:8000 resolve`, `server 127.0.0.1:${port}`)
  })
  return deployed
}

function replaceOnce(text: string, part: string, replacement: string): string {
  const pieces = text.split(part)
  if (pieces.length !== 2)
    throw new Error(`deploy/nginx.conf has ${pieces.length - 1} times "${part}", not once`)
  return pieces.join(replacement)
}
