import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureInstalled } from './debian.ts'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

const DEPLOYED_CONFIG = new URL('../../deploy/nginx.conf', import.meta.url)
const START_MS_MAX = 10_000

/** A real nginx with the settings of deploy/nginx.conf: only its addresses are others. */
export class Nginx {
  readonly url: string
  readonly #child: ChildProcess
  readonly #folder: string

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.url = url
    this.#child = child
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
    const directives = `daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log notice;`
    const child = spawn(file, ['-p', folder, '-c', 'nginx.conf', '-e', 'error.log', '-g', directives], {
      stdio: 'ignore',
    })
    const nginx = new Nginx(`http://127.0.0.1:${listenPort}`, child, folder)
    try {
      await until(START_MS_MAX, async () => {
        if (child.pid === undefined || child.exitCode !== null) throw new Error('it ended')
        return fetch(`${nginx.url}/livez`).then(
          () => true,
          () => false,
        )
      })
    } catch (error) {
      const log = await nginx.log()
      await nginx.stop()
      throw new Error(`nginx did not start\n${log}`, { cause: error })
    }
    return nginx
  }

  /** What it has written to its error log. */
  log(): Promise<string> {
    return readFile(join(this.#folder, 'error.log'), 'utf8')
  }

  async stop(): Promise<void> {
    if (this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = once(this.#child, 'exit')
      this.#child.kill('SIGTERM')
      await exit
    }
    await rm(this.#folder, { recursive: true, force: true })
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
