/**
 * Prints the functions that used most CPU time of a profile by `node --cpu-prof`: `node profile-top.js FILE [SECONDS]`.
 * The first seconds, 5 unless given, are the start of the process, and left out.
 */
import { readFileSync } from 'node:fs'

interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const LINES = 10
const START_SECONDS = 5
/** Time in which the process slept. */
const IDLE = '(idle)'

const { nodes, samples, timeDeltas }: Profile = JSON.parse(readFileSync(process.argv[2] as string, 'utf8'))
const names = new Map(
  nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
    id,
    `${functionName || '(anonymous)'} ${url.replace(/^.*\/(?=(dist|node_modules)\/)/, '')}${url && `:${lineNumber + 1}`}`,
  ]),
)
const startUs = Number(process.argv[3] ?? START_SECONDS) * 1e6
const selfUs = new Map<string, number>()
let elapsedUs = 0
for (const [i, id] of samples.entries()) {
  const name = names.get(id) as string
  const us = timeDeltas[i] as number
  elapsedUs += us
  if (elapsedUs > startUs && !name.startsWith(IDLE)) selfUs.set(name, (selfUs.get(name) ?? 0) + us)
}
const totalUs = [...selfUs.values()].reduce((sum, us) => sum + us, 0)
const top = [...selfUs].sort(([, a], [, b]) => b - a).slice(0, LINES)
for (const [name, us] of top) console.log(`${((100 * us) / totalUs).toFixed(1).padStart(5)} %  ${name}`)
