import { execFile } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const BLOCK = Buffer.alloc(4_096)

/** A file system of its own, in memory, that can be filled up. An hour of small leases puts some 20 MB on record. */
export class SmallDisk {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  /** Mounts it at `folder`. Rejects where this process may not mount. */
  static async mount(folder: string): Promise<SmallDisk> {
    mkdirSync(folder)
    await run('mount', ['-t', 'tmpfs', '-o', 'size=128m,mode=700', 'seqsvr-chaos', folder])
    return new SmallDisk(folder)
  }

  /** Takes every free byte. */
  fill(): void {
    const file = openSync(this.#ballast, 'w')
    try {
      for (;;) writeSync(file, BLOCK)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    } finally {
      closeSync(file)
    }
  }

  free(): void {
    rmSync(this.#ballast, { force: true })
  }

  async unmount(): Promise<void> {
    await run('umount', ['--lazy', this.folder])
  }

  get #ballast(): string {
    return join(this.folder, 'ballast')
  }
}
