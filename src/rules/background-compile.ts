import { setFlagsFromString } from 'node:v8'

/**
 * Lets no thread that starts later compile its JavaScript in the background. Node 20 aborts the whole process now and then
 * when it ends a thread meanwhile: the compiler may ask for a garbage collection of a thread that Node has forgotten already.
 * The main thread, which exists by now, goes on as before, and so does WebAssembly. Node 22 does not have this fault.
 */
export function compileThreadsInTheForeground(): void {
  if (Number.parseInt(process.versions.node, 10) < 22) setFlagsFromString('--no-concurrent-recompilation')
}
