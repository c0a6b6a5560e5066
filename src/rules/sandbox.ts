import { LuaFactory, LuaReturn } from 'wasmoon'
import { ID_BYTES_MAX, MESSAGE_BYTES_MAX, SCRIPT_BYTES_MAX } from './limits.ts'
import { PRELUDE } from './prelude.ts'

type Lua = Awaited<ReturnType<LuaFactory['createEngine']>>['global']

/** Where the functions that the prelude returns stay on the stack. */
const SETTINGS = 1
const RUN = 2

/** On the first line of the prelude. */
const LIMITS = `local ID_BYTES_MAX, MESSAGE_BYTES_MAX = ${ID_BYTES_MAX}, ${MESSAGE_BYTES_MAX}`

/** A Lua state with one rule's script in it. It can be ended from outside only, by ending its thread. */
export class Sandbox {
  readonly #global: Lua

  private constructor(global: Lua) {
    this.#global = global
  }

  /** `name` stands in front of the line in error messages. Throws an Error whose message says what is wrong with the script. */
  static async open(name: string, source: string): Promise<Sandbox> {
    const engine = await new LuaFactory().createEngine({
      openStandardLibs: false,
      injectObjects: false,
      enableProxy: false,
      traceAllocations: true,
    })
    const { global } = engine
    global.setMemoryMax(SCRIPT_BYTES_MAX)
    const { lua, address } = global
    for (const [library, open] of [
      ['_G', lua.luaopen_base],
      ['string', lua.luaopen_string],
      ['math', lua.luaopen_math],
      ['table', lua.luaopen_table],
      ['utf8', lua.luaopen_utf8],
    ] as const) {
      open(address)
      lua.lua_setglobal(address, library)
    }
    global.setTop(0)

    const sandbox = new Sandbox(global)
    sandbox.#load('=seqsvr', LIMITS + PRELUDE, 2)
    // Bytecode is not verified and can break out of the machine.
    if (source.startsWith('\u001b')) throw new Error(`${name}: is bytecode; give the script's text`)
    sandbox.#load(`@${name}`, source, 0)
    return sandbox
  }

  /** `=` with min_counter(), max_counter() and reset_seconds() behind it, or `!` and what is wrong. */
  settings(): string {
    const { lua, address } = this.#global
    lua.lua_pushvalue(address, SETTINGS)
    return this.#call(0)
  }

  /**
   * Runs the script for a text that `linesOf` makes. `+` and an id a line; or, if not all went well, `-` and for each run
   * `=` and the id or `!` and what went wrong. Throws where memory ran out.
   */
  run(lines: string): string {
    const { lua, address } = this.#global
    lua.lua_pushvalue(address, RUN)
    this.#pushString(lines)
    return this.#call(1)
  }

  #load(name: string, source: string, results: number): void {
    this.#global.loadString(source, name)
    this.#pcall(0, results)
  }

  #call(args: number): string {
    const { lua, address } = this.#global
    this.#pcall(args, 1)
    const result = lua.lua_tolstring(address, -1, null)
    lua.lua_settop(address, RUN)
    return result
  }

  #pcall(args: number, results: number): void {
    const { lua, address } = this.#global
    if (lua.lua_pcallk(address, args, results, 0, 0, null) !== LuaReturn.Ok) throw this.#popError()
  }

  /** By way of the heap: an argument of the call itself would go over the machine's small stack. */
  #pushString(text: string): void {
    const { lua, address } = this.#global
    const { module } = lua
    const bytes = module.lengthBytesUTF8(text)
    const pointer = module._malloc(bytes + 1)
    module.stringToUTF8(text, pointer, bytes + 1)
    lua.lua_pushlstring(address, pointer, bytes)
    module._free(pointer)
  }

  #popError(): Error {
    const { lua, address } = this.#global
    const isText = lua.lua_isstring(address, -1) === 1
    const message = isText ? lua.lua_tolstring(address, -1, null) : 'an error that is not a string'
    this.#global.pop()
    return new Error(message)
  }
}
