import { v7 as uuidv7 } from 'uuid'
import type { Config } from '../config/schema.ts'
import { Administration } from '../core/administration.ts'
import { SequenceError } from '../core/errors.ts'
import { EXIT_OK, EXIT_RUNTIME } from './exit-codes.ts'
import { openStore, requireStore } from './open-store.ts'

const PAGE = 1_000

const RESTART_ADVICE = 'instances that run go on with the ids that they hold: restart them to change that'

/** What `seqsvr sequence …` asks for. */
export type SequenceTask =
  | { readonly action: 'list' }
  | { readonly action: 'create'; readonly name: string; readonly start?: bigint; readonly step?: number }
  | { readonly action: 'advance'; readonly name: string; readonly to: bigint }
  | { readonly action: 'advance'; readonly name: string; readonly by: bigint }
  | { readonly action: 'advance all'; readonly by: bigint }
  | { readonly action: 'retire'; readonly name: string }

/** Administers the sequences of the store. Running instances go on with the ids that they hold. */
export async function sequence(config: Config, task: SequenceTask): Promise<number> {
  const store = openStore(config, uuidv7())
  try {
    if (task.action !== 'create') requireStore(config)
    await perform(new Administration(store), task, store.description)
    return EXIT_OK
  } catch (error) {
    if (!(error instanceof SequenceError)) throw error
    console.error(`seqsvr: ${error.code}: ${error.message}`)
    return EXIT_RUNTIME
  } finally {
    await store.close()
  }
}

async function perform(administration: Administration, task: SequenceTask, place: string): Promise<void> {
  switch (task.action) {
    case 'list':
      return printList(administration)
    case 'create':
      await administration.create(task.name, task.start, task.step)
      return console.log(`made ${task.name} in ${place}`)
    case 'advance': {
      const { name } = task
      const maxId =
        'to' in task
          ? await administration.advanceTo(name, task.to)
          : await administration.advanceBy(name, task.by)
      return console.log(`the next lease of ${name} starts at ${maxId}; ${RESTART_ADVICE}`)
    }
    case 'advance all': {
      const { moved, failures } = await administration.advanceAllBy(task.by)
      for (const { code, message } of failures) console.error(`seqsvr: ${code}: ${message}`)
      return console.log(
        `advanced the generator and ${moved} named ${moved === 1 ? 'sequence' : 'sequences'} by ${task.by}; ${RESTART_ADVICE}`,
      )
    }
    case 'retire':
      await administration.retire(task.name)
      return console.log(`retired ${task.name}; made again, it goes on above all that it leased`)
  }
}

async function printList(administration: Administration): Promise<void> {
  for (let after = ''; ; ) {
    const page = await administration.list(after, PAGE)
    // Nothing is printed of a store that cannot be read.
    if (after === '') console.log(['max_id', 'step', 'name'].join('\t'))
    for (const { name, maxId, step } of page) console.log([maxId, step, quoted(name)].join('\t'))
    if (page.length < PAGE) return
    after = page.at(-1)?.name as string
  }
}

/** As JSON where a person, or a program that splits the line, could not tell where the name ends. */
function quoted(name: string): string {
  return /^[^\s"\p{C}]+$/u.test(name) ? name : JSON.stringify(name)
}
