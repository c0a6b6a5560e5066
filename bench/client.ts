import { join } from 'node:path'
import type { Contestant } from './contestant.ts'
import type { Load, LoadFigures } from './load.ts'
import type { Suite } from './suite.ts'

const USER_SCRIPT = join(import.meta.dirname, 'client-user.js')

/** Ids within one process of a user: from the client, against a plain request for each of them. */
export function clientSuite(): Suite {
  return {
    name: 'client',
    title: 'Ids within one process',
    load: clientLoad(),
    contestants: [
      contestant('fetch for each id', 'fetch'),
      contestant('client, await next()', 'next'),
      contestant('client, tryNext()', 'tryNext'),
    ],
    ceilings: ['fetch for each id'],
  }
}

/** The contestants make the load themselves: they are the users, and the core for the load has the server. */
function clientLoad(): Load {
  return {
    description:
      'One process that uses ids as fast as it can: 64 loops that fetch /new, 64 that await next(), one that calls tryNext(). ' +
      'A request is an id; the other core has the server',
    async run(port, seconds) {
      const response = await fetch(`http://127.0.0.1:${port}/?seconds=${seconds}`)
      return (await response.json()) as LoadFigures
    },
  }
}

function contestant(name: string, way: string): Contestant {
  return {
    name,
    command: (port, directory) => ({
      argv: [process.execPath, USER_SCRIPT, way],
      env: { PORT: String(port), SEQSVR_SQLITE_FILE: join(directory, 'seqsvr.sqlite') },
    }),
    probe: async (port) => (await fetch(`http://127.0.0.1:${port}/?seconds=0`)).ok,
  }
}
