import { setTimeout as delay } from 'node:timers/promises'
import type { Page } from 'playwright-core'

const LOAD_MS = 75_000
const TICK_MS = 100

/** Two instances of a small shop under a load that rises and falls, until their charts are full. The picture is of the first one. */
export async function takeScreenshot(
  page: Page,
  urls: readonly [string, string],
  file: string,
): Promise<void> {
  await page.goto(urls[0])
  const startedMs = performance.now()
  for (let ms = 0; ms < LOAD_MS; ms = performance.now() - startedMs) {
    const wave = 1 + 0.35 * Math.sin(ms / 6_000) + 0.15 * Math.sin(ms / 1_300)
    for (const url of urls) {
      await ask(url, '/new', 420 * wave)
      await ask(url, '/alloc?app_tag=orders', 60 * wave * wave)
      await ask(url, '/alloc?app_tag=invoices', 3 * (1 + Math.sin(ms / 4_000)))
    }
    await delay(TICK_MS)
  }
  await page.screenshot({ path: file })
}

async function ask(url: string, path: string, count: number): Promise<void> {
  const ids = Math.round(count)
  if (ids > 0) await (await fetch(`${url}${path}${path.includes('?') ? '&' : '?'}count=${ids}`)).text()
}
