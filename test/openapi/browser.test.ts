import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { ADMIN_TOKEN, startInstance } from '../http/instance.ts'
import { launchBrowser } from '../support/browser.ts'

// Swagger UI takes some seconds to start where other tests run beside it.
vi.setConfig({ testTimeout: 90_000 })

let browser: Browser

beforeAll(async () => {
  browser = await launchBrowser()
}, 300_000)

afterAll(() => browser?.close())

interface Opened {
  readonly page: Page
  /** What the browser complained of, and requests to other hosts. */
  readonly complaints: readonly string[]
}

async function openDocs(url: string): Promise<Opened> {
  const page = await browser.newPage()
  onTestFinished(() => page.close())
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    if (!request.url().startsWith(`${url}/`) && !request.url().startsWith('data:'))
      complaints.push(`a request to ${request.url()}`)
  })
  await page.goto(`${url}/docs`)
  await page.waitForSelector('.opblock')
  return { page, complaints }
}

/** Tries an operation out as it stands, and returns status and body of the answer. */
async function tryOut(page: Page, operation: string, fill: Readonly<Record<string, string>> = {}) {
  const block = page.locator(`[id$="-${operation}"].opblock`)
  await block.locator('.opblock-summary-control').click()
  await block.locator('.try-out__btn').click()
  for (const [name, value] of Object.entries(fill))
    await block.locator(`tr[data-param-name="${name}"] input`).fill(value)
  await block.locator('.execute').click()
  const answer = block.locator('.live-responses-table tbody .response')
  return {
    status: (await answer.locator('.response-col_status').innerText()).trim(),
    body: await answer.locator('.response-col_description .highlight-code pre').first().innerText(),
  }
}

it('a browser shows every operation, asks no other host, and complains of nothing', async () => {
  const { url } = await startInstance()
  const { page, complaints } = await openDocs(url)
  const shown = await page.locator('.opblock').evaluateAll((blocks) => blocks.length)
  const document = await (await fetch(`${url}/openapi.json`)).json()
  const paths = Object.values((document as { paths: object }).paths)
  expect(shown).toBe(paths.flatMap((item) => Object.keys(item)).length)
  expect(complaints).toEqual([])
})

it('an operation that is tried out answers with an id', async () => {
  const { url } = await startInstance()
  const { page, complaints } = await openDocs(url)
  expect(await tryOut(page, 'new', { count: '2' })).toEqual({
    status: '200',
    body: '{"code":0,"msg":"ok","data":{"id":100,"ids":[100,101]}}',
  })
  expect(complaints).toEqual([])
})

it('I6: ids above 2^53 are shown exactly', async () => {
  const { url, segments } = await startInstance()
  await segments.create('orders', 9223372036854775805n, 10)
  const { page } = await openDocs(url)
  expect(await tryOut(page, 'alloc', { app_tag: 'orders', count: '2' })).toEqual({
    status: '200',
    body: '{"resp_code":0,"msg":"success","id":9223372036854775805,"ids":[9223372036854775805,9223372036854775806]}',
  })
})

it('the admin API is tried out with the token', async () => {
  const { url } = await startInstance()
  const { page, complaints } = await openDocs(url)
  await page.locator('button.authorize').first().click()
  await page.locator('.auth-container input').fill(ADMIN_TOKEN)
  await page.locator('.auth-container button[type=submit]').click()
  await page.locator('.auth-container .btn-done').click()
  expect(await tryOut(page, 'listSequences')).toEqual({
    status: '200',
    body: '{"code":0,"msg":"ok","data":{"sequences":[]}}',
  })
  expect(complaints).toEqual([])
})
