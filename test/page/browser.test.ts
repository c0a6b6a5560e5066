import { rm } from 'node:fs/promises'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { launchBrowser } from '../support/browser.ts'
import { createDatabase, MysqlServer } from '../support/mysql-server.ts'
import { mysqlEnv, SeqsvrProcess } from '../support/seqsvr-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { openTab } from './browser.ts'
import { takeScreenshot } from './screenshot.ts'

const TOKEN = 'a-token-of-the-tests'
const LONG_NAME = `invoices_${'x'.repeat(100)}`

let browser: Browser

beforeAll(async () => {
  browser = await launchBrowser()
})

afterAll(async () => {
  await browser?.close()
})

/** Waits are long: a disk that is slow for a moment is not what is looked at here. */
async function serveEmbedded(env: Record<string, string> = {}): Promise<SeqsvrProcess> {
  const folder = await temporaryFolder()
  const instance = await SeqsvrProcess.start({
    SEQSVR_SQLITE_FILE: `${folder}/seqsvr.sqlite`,
    SEQSVR_ADMIN_TOKEN: TOKEN,
    SEQSVR_WAIT_MS_MAX: '15000',
    ...env,
  })
  onTestFinished(() => instance.kill())
  return instance
}

async function take(url: string, path: string): Promise<string> {
  return (await fetch(url + path)).text()
}

async function logIn(page: Page): Promise<void> {
  await page.getByLabel('Admin token').fill(TOKEN)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: 'Create a sequence' }).waitFor()
}

async function create(url: string, name: string): Promise<void> {
  const headers = { authorization: `Bearer ${TOKEN}` }
  await fetch(`${url}/admin/sequences`, { method: 'POST', headers, body: JSON.stringify({ name }) })
}

/** The row of a sequence. */
function row(page: Page, name: string) {
  return page.getByRole('article').filter({ has: page.getByRole('heading', { name, exact: true }) })
}

async function shows(page: Page, text: string | RegExp): Promise<void> {
  await page.getByText(text).first().waitFor()
}

async function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - innerWidth')
}

describe('the status page in a browser', () => {
  it('lets an operator log in, create, watch, advance, retire and log out', async () => {
    const { url } = await serveEmbedded()
    const page = await openTab(browser)
    await page.goto(url)
    await page.getByRole('heading', { name: 'Ready.' }).waitFor()
    await shows(page, 'No id was handed out yet')
    await logIn(page)

    const create = page.locator('form', { hasText: 'Create a sequence' })
    await create.getByLabel('Name').fill('orders')
    await create.getByLabel('Step (ids a lease)').fill('500')
    await create.getByRole('button').click()
    await shows(page, 'Created orders.')

    // From here to the next form the page is not loaded again.
    await page.evaluate('globalThis.isTheSame = true')
    const orders = row(page, 'orders')
    expect(await take(url, '/alloc?app_tag=orders')).toContain('"id":1}')
    await orders.getByText('499 in memory').waitFor()
    await page.getByText('No id was handed out yet').waitFor({ state: 'detached' })
    await orders.getByText('1 served').waitFor()
    const served = () => orders.locator('.bar .served').getAttribute('width')
    expect(await served()).toBe('2.0')
    await take(url, '/alloc?app_tag=orders&count=99')
    await orders.getByText('100 served').waitFor()
    await orders.getByText('101 next id').waitFor()
    expect(await served()).toBe('200.0')
    await orders.getByText(/^[1-9]\S* ids a second$/).waitFor()
    await orders.getByText('500 ids, ').waitFor()
    expect(await page.evaluate('isTheSame')).toBe(true)

    const advance = page.locator('form', { hasText: 'Advance a sequence' })
    await advance.getByLabel('Name').fill('orders')
    await advance.getByLabel('By or to').selectOption('to')
    await advance.getByLabel('Number').fill('1,000,000')
    await advance.getByRole('button').click()
    await shows(page, 'Advanced orders: its next lease starts at 1,000,000.')
    await orders.getByText('1,000,000 next id').waitFor()

    const retire = page.locator('form', { hasText: 'Retire a sequence' })
    await retire.getByLabel('Name').fill('orders')
    await retire.getByRole('button').click()
    await page.getByRole('heading', { name: 'Retire orders?' }).waitFor()
    await page.getByRole('button', { name: 'Retire it' }).click()
    await shows(page, 'Retired orders.')
    await orders.waitFor({ state: 'detached' })

    await page.getByRole('button', { name: 'Log out' }).click()
    await shows(page, 'You have logged out.')
    await page.getByLabel('Admin token').waitFor()
  })

  it('tells in words of a failed form, and a reload does not send it again', async () => {
    const { url } = await serveEmbedded()
    const page = await openTab(browser, {}, /the server responded with a status of 40/)
    await page.goto(url)
    await page.getByLabel('Admin token').fill('wrong')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('alert').getByText('That is not the token of this instance.').waitFor()
    await logIn(page)
    const retire = page.locator('form', { hasText: 'Retire a sequence' })
    await retire.getByLabel('Name').fill('nobody')
    await retire.getByRole('button').click()
    await page.getByRole('alert').getByText('There is no sequence "nobody".').waitFor()
    await page.waitForURL(`${url}/`)
    await page.reload()
    await page.getByRole('heading', { name: 'Create a sequence' }).waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
  })

  it('tells of a database that is gone, and of its return, without a reload', async () => {
    const server = await MysqlServer.start()
    onTestFinished(() => server.stop())
    const env = mysqlEnv(await createDatabase(server.login))
    const { url } = await serveEmbedded({ ...env, SEQSVR_SQLITE_FILE: '' })
    const page = await openTab(browser)
    await page.goto(url)
    await page.getByRole('heading', { name: 'Ready.' }).waitFor()
    await shows(page, 'The fleet on this store')
    await server.kill('SIGTERM')
    // To the last id in memory.
    while ((await fetch(`${url}/new`)).ok);
    await page.getByRole('heading', { name: 'Not ready: the store gives no ids.' }).waitFor()
    await page.getByRole('listitem').getByText('STORE_UNAVAILABLE').first().waitFor()
    await server.restart()
    await page.getByRole('heading', { name: 'Ready.' }).waitFor()
    await page.locator('.facts').getByText('well').waitFor()
    expect(await take(url, '/new')).toContain('"code":0')
  })

  it('does not hold up a shutdown, and finds the instance again', async () => {
    const instance = await serveEmbedded({ SEQSVR_DRAIN_MS: '600000' })
    const page = await openTab(browser, {}, /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING/)
    await page.goto(instance.url)
    await page.getByText('live', { exact: true }).waitFor()
    expect(await instance.stop()).toBe(0)
    await page.getByText('not connected, trying again').waitFor()
    await instance.restart()
    await page.getByText('live', { exact: true }).waitFor()
  })

  it('works without JavaScript, by reload', async () => {
    const { url } = await serveEmbedded()
    const page = await openTab(browser, { javaScriptEnabled: false })
    await page.goto(url)
    await page.getByText('reload for fresh numbers').waitFor()
    await take(url, '/new?count=7')
    await page.reload()
    await page.getByText('7 served').waitFor()
    await logIn(page)
  })

  it('is laid out for a phone and for dark rooms', async () => {
    const { url } = await serveEmbedded()
    const phone = await openTab(browser, { viewport: { width: 360, height: 740 } })
    await phone.goto(url)
    await logIn(phone)
    const create = phone.locator('form', { hasText: 'Create a sequence' })
    await create.getByLabel('Name').fill(LONG_NAME)
    await create.getByLabel('First id').fill('9223372036854770000')
    await create.getByRole('button').click()
    await take(url, `/alloc?app_tag=${LONG_NAME}`)
    await row(phone, LONG_NAME).getByText('9,223,372,036,854,770,001').waitFor()
    expect(await overflow(phone)).toBe(0)

    const ground = 'getComputedStyle(document.body).backgroundColor'
    expect(await phone.evaluate(ground)).toBe('rgb(251, 251, 248)')
    const dark = await openTab(browser, { colorScheme: 'dark' })
    await dark.goto(url)
    expect(await dark.evaluate(ground)).toBe('rgb(17, 21, 19)')
  })

  const picture = process.env.SEQSVR_TEST_SCREENSHOT
  if (picture !== undefined)
    it('has its picture taken for the README', async () => {
      // A name that says little: it is in the picture.
      const file = { SEQSVR_SQLITE_FILE: '/tmp/shop/seqsvr.sqlite' }
      onTestFinished(() => rm('/tmp/shop', { recursive: true }))
      const shop = [await serveEmbedded(file), await serveEmbedded(file)] as const
      for (const name of ['orders', 'invoices']) await create(shop[0].url, name)
      const visitor = await openTab(browser, { viewport: { width: 1180, height: 860 } })
      await takeScreenshot(visitor, [shop[0].url, shop[1].url], picture)
    }, 120_000)
})
