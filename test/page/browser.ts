import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { expect, onTestFinished } from 'vitest'

const SHOWN_MS_MAX = 10_000

/** A tab of its own, closed when the test has finished. The test fails if the browser complained of anything but `expected`. */
export async function openTab(
  browser: Browser,
  options: BrowserContextOptions = {},
  expected = /^$/,
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1180, height: 800 }, ...options })
  const page = await context.newPage()
  // Shorter than a test may take, so that it says what it has waited for.
  page.setDefaultTimeout(SHOWN_MS_MAX)
  const complaints: string[] = []
  // Violations of the policy are among these.
  page.on('console', (message) => {
    if (message.type() !== 'log' && !expected.test(message.text())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  onTestFinished(async () => {
    await context.close()
    expect(complaints).toEqual([])
  })
  return page
}
