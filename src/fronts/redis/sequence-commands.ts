import { isUtf8 } from 'node:buffer'
import { SequenceError } from '../../core/errors.ts'
import { ID_END, type Id } from '../../core/id.ts'
import { type CommandTable, commandTable } from './command.ts'
import type { NamedIds } from './named-ids.ts'
import { array, err, integer, NIL, OK, type Reply } from './reply.ts'

const NOT_AN_INTEGER = err('value is not an integer or out of range')

/** GET, SET, INCR, INCRBY, MGET, DEL, EXISTS. `requestIdsMax` is the most ids that one command may take. */
export function sequenceCommands(ids: NamedIds, requestIdsMax: number): CommandTable {
  function takeBulk(name: string): Reply | Promise<Reply> {
    const id = ids.take(name)
    return typeof id === 'object' ? id.then(idReply, nilWhereUnknown) : idReply(id)
  }

  return commandTable({
    get: {
      arity: 2,
      keys: [1, 1, 1],
      repeats: 'bulk',
      summary: 'The next id of a sequence, as a bulk string; nil if there is no such sequence',
      run: (args) => takeBulk(nameIn(args, 1)),
    },
    incr: {
      arity: 2,
      keys: [1, 1, 1],
      repeats: 'integer',
      summary: 'The next id of a sequence, as an integer; makes the sequence at need',
      run(args) {
        const id = ids.takeOrCreate(nameIn(args, 1))
        return typeof id === 'object' ? id.then(integer) : integer(id)
      },
    },
    incrby: {
      arity: 3,
      keys: [1, 1, 1],
      summary: 'Takes consecutive ids and answers with the last; makes the sequence at need',
      async run(args) {
        const count = integerIn(args, 2)
        if (count === undefined) return NOT_AN_INTEGER
        if (count < 1n || count > requestIdsMax)
          return err(`increment must be from 1 to ${requestIdsMax}: so many ids are taken`)
        const first = await ids.takeRowOrCreate(nameIn(args, 1), Number(count))
        return integer(lastOfRow(first, Number(count)))
      },
    },
    mget: {
      arity: -2,
      keys: [1, -1, 1],
      summary: 'One id of each key; nil for each that is no sequence',
      run(args) {
        if (args.length - 1 > requestIdsMax) return err(`MGET takes ${requestIdsMax} keys at most`)
        // All names are read before the first id is asked for: what throws now leaves no promise behind.
        const items = namesIn(args).map(takeBulk)
        return items.some((item) => item instanceof Promise)
          ? Promise.all(items).then(array)
          : array(items as Reply[])
      },
    },
    set: {
      arity: -3,
      keys: [1, 1, 1],
      summary: 'Makes a sequence whose first id is the number after this one, or moves it there; never back',
      async run(args) {
        if (args.length > 3)
          return err('syntax error: SET takes a key and a number, no options such as NX, XX, EX or GET')
        const value = integerIn(args, 2)
        // The first id is value + 1, and ids end below ID_END (I6).
        if (value === undefined || value < 0n || value + 1n >= ID_END) return NOT_AN_INTEGER
        await ids.startAt(nameIn(args, 1), value + 1n)
        return OK
      },
    },
    del: {
      arity: -2,
      keys: [1, -1, 1],
      summary: 'Retires sequences; counts those that there were',
      async run(args) {
        let count = 0
        for (const name of namesIn(args)) if (await ids.retire(name)) count++
        return integer(count)
      },
    },
    exists: {
      arity: -2,
      keys: [1, -1, 1],
      summary: 'Counts the keys that are sequences; one that is named twice counts twice',
      async run(args) {
        const found = await Promise.all(namesIn(args).map((name) => ids.exists(name)))
        return integer(found.filter((exists) => exists).length)
      },
    },
  })
}

function idReply(id: Id): Reply {
  return { type: 'id', id }
}

function nilWhereUnknown(error: unknown): Reply {
  if (error instanceof SequenceError && error.code === 'UNKNOWN_SEQUENCE') return NIL
  throw error
}

function lastOfRow(first: Id, count: number): Id {
  return typeof first === 'bigint' ? first + BigInt(count - 1) : first + count - 1
}

function namesIn(args: readonly Buffer[]): string[] {
  return args.slice(1).map((_, index) => nameIn(args, index + 1))
}

/** Two keys of different bytes must not become one name, as they would with U+FFFD in place of what is not UTF-8. */
function nameIn(args: readonly Buffer[], index: number): string {
  const arg = args[index] as Buffer
  const name = arg.toString()
  if (name.includes('\ufffd') && !isUtf8(arg))
    throw new SequenceError('BAD_REQUEST', 'the name of a sequence must be UTF-8')
  return name
}

/** As strict as redis-server: no sign but `-`, no leading zero, no space. */
function integerIn(args: readonly Buffer[], index: number): bigint | undefined {
  const text = (args[index] as Buffer).toString('latin1')
  return /^(0|-?[1-9]\d{0,18})$/.test(text) ? BigInt(text) : undefined
}
