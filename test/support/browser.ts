import { type Browser, chromium } from 'playwright-core'
import { ensureInstalled } from './debian.ts'

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Debian's Chromium, which is installed where it is missing. */
export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: await ensureInstalled('chromium', 'chromium'), args: ARGS })
}
