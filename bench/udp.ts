import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '../test/support/root.ts'
import type { Contestant } from './contestant.ts'
import type { Load } from './load.ts'
import { SEQSVR } from './seqsvr.ts'
import type { Suite } from './suite.ts'

const CEILING = join(import.meta.dirname, 'ceilings/udp-server.js')
const CLIENTS_SCRIPT = join(import.meta.dirname, 'udp-clients.js')
const RULE = join(ROOT, 'rules/order_id.lua')

const LOAD_CORE = '1'
const CLIENTS = 32
/** The script's runtime is compiled meanwhile. */
const WARM_UP_SECONDS = 4
const PROBE_MS_MAX = 500
const run = promisify(execFile)

/** One formatted id a datagram, against a server that parses and answers the same JSON. */
export function udpSuite(): Suite {
  return {
    name: 'udp',
    title: 'Formatted ids over UDP',
    load: udpLoad(),
    contestants: [ceiling(), seqsvr()],
    ceilings: ['node:dgram'],
    warmUpSeconds: WARM_UP_SECONDS,
  }
}

function udpLoad(): Load {
  return {
    description: `${CLIENTS} clients of node:dgram that send and wait`,
    async run(port, seconds) {
      const { stdout } = await run('taskset', [
        ...['-c', LOAD_CORE, process.execPath, CLIENTS_SCRIPT],
        ...[port, seconds, CLIENTS].map(String),
      ])
      return JSON.parse(stdout)
    },
  }
}

function ceiling(): Contestant {
  return {
    name: 'node:dgram',
    command: (port) => ({ argv: [process.execPath, CEILING], env: { PORT: String(port) } }),
    probe,
  }
}

function seqsvr(): Contestant {
  return {
    name: 'seqsvr',
    command: (port, directory) => {
      const config = join(directory, 'config.yml')
      writeFileSync(
        config,
        `
port: 127.0.0.1:0
sqlite: { file: ${JSON.stringify(join(directory, 'seqsvr.sqlite'))} }
udp:
  port: 127.0.0.1:${port}
  rules: [{ name: order_id, lua_file: ${JSON.stringify(RULE)}, batch_save: 10000 }]
`,
      )
      return { argv: [process.execPath, SEQSVR, '--config', config] }
    },
    probe,
  }
}

function probe(port: number): Promise<boolean> {
  const socket = createSocket('udp4')
  const answered = new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), PROBE_MS_MAX)
    socket.on('message', (reply) => {
      clearTimeout(timer)
      resolve(reply.includes('"code":0'))
    })
    socket.on('error', () => {})
    socket.send('{"action":"get","rule_name":"order_id","app_name":"probe"}', port, '127.0.0.1')
  })
  return answered.finally(() => socket.close())
}
