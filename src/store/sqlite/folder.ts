import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/** Makes a folder and those above it at need, so that they survive a power cut just as what is put in (I2). */
export function makeFolder(folder: string): void {
  const highest = mkdirSync(folder, { recursive: true })
  // Windows has no fsync of a folder, and needs none.
  if (highest === undefined || process.platform === 'win32') return
  for (let made = folder; made.length >= highest.length; made = dirname(made)) syncFolder(dirname(made))
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
