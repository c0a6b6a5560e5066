import { join } from 'node:path'
import type { Contestant } from './contestant.ts'
import { httpLoad } from './load.ts'
import type { Suite } from './suite.ts'

/** Both paths are seen from bench/build, where this runs. */
const CEILINGS = join(import.meta.dirname, 'ceilings')
const SEQSVR = join(import.meta.dirname, '../../dist/main.js')

/** `GET /new` against the two ceilings, with a step that hardly ever needs the store and with the default one. */
export function httpSuite(): Suite {
  return {
    name: 'http',
    title: 'GET /new',
    load: httpLoad('/new', 64),
    contestants: [
      ceiling('node:net', 'net-server.js'),
      ceiling('node:http', 'http-server.js'),
      seqsvr('seqsvr, step 1000000', 1_000_000),
      seqsvr('seqsvr, step 100', 100),
    ],
    ceilings: ['node:net', 'node:http'],
  }
}

function ceiling(name: string, script: string): Contestant {
  return {
    name,
    command: (port) => ({
      argv: [process.execPath, join(CEILINGS, script)],
      env: { PORT: String(port) },
    }),
    probe: probeNew,
  }
}

function seqsvr(name: string, step: number): Contestant {
  return {
    name,
    command: (port, directory) => ({
      argv: [process.execPath, SEQSVR],
      env: {
        SEQSVR_PORT: `127.0.0.1:${port}`,
        SEQSVR_SQLITE_FILE: join(directory, 'seqsvr.sqlite'),
        SEQSVR_STEP: String(step),
      },
    }),
    probe: probeNew,
  }
}

async function probeNew(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/new`)
  const { code } = (await response.json()) as { code: number }
  return code === 0
}
