import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { ADMIN_TOKEN, startInstance } from '../http/instance.ts'
import { Visitor } from './visitor.ts'

/** What stands in the message above the page. */
function message(body: string): string | undefined {
  return /<p class="message[^>]*>(.*?)<\/p>/.exec(body)?.[1]
}

describe('administration on the page', () => {
  it('is not there without a token in the configuration, and the page says how to turn it on', async () => {
    const { url } = await startInstance({}, false)
    const visitor = new Visitor(url)
    for (const path of ['login', 'logout', 'create', 'advance', 'retire'])
      expect((await visitor.post(`/status/${path}`, {})).status).toBe(404)
    const { body } = await visitor.get()
    expect(body).toContain('SEQSVR_ADMIN_TOKEN')
    expect(body).not.toContain('<form')
  })

  it('lets in who has the token, with a cookie that scripts and other sites cannot use', async () => {
    const { url, events } = await startInstance()
    const visitor = new Visitor(url)
    const wrong = await visitor.post('/status/login', { token: 'wrong' })
    expect([wrong.status, message(wrong.body)]).toEqual([403, 'That is not the token of this instance.'])
    expect(events).toEqual([{ type: 'wrong token', by: 'page' }])
    expect(visitor.cookies.size).toBe(0)
    const right = await visitor.post('/status/login', { token: ADMIN_TOKEN })
    expect([right.status, right.headers.get('location')]).toEqual([303, '/'])
    expect(visitor.setCookies).toHaveLength(1)
    expect(visitor.setCookies[0]).toMatch(
      /^seqsvr_session=[^;]+; Max-Age=28800; Path=\/; HttpOnly; SameSite=Strict$/,
    )
    expect(visitor.setCookies[0]).not.toContain(ADMIN_TOKEN)
    expect((await visitor.get()).body).toContain('Create a sequence')
  })

  it.each([
    ['an https origin', { origin: 'https://seqsvr.example', 'sec-fetch-site': 'same-origin' }],
    ['what the proxy says', { 'sec-fetch-site': 'same-origin', 'x-forwarded-proto': 'https' }],
  ])('makes the cookie Secure behind https, by %s', async (_what, headers) => {
    const { url } = await startInstance()
    const visitor = new Visitor(url)
    expect((await visitor.post('/status/login', { token: ADMIN_TOKEN }, headers)).status).toBe(303)
    expect(visitor.setCookies[0]).toContain('; Secure')
  })

  it('shows and does nothing without a valid login', async () => {
    const { url, segments } = await startInstance()
    const insider = new Visitor(url)
    await insider.logIn()
    const session = insider.cookies.get('seqsvr_session') as string
    await insider.post('/status/logout', {})
    const notice = insider.cookies.get('seqsvr_notice') as string
    // A login of the far future with a signature of something else, a notice as a session, and a foreign key.
    const forged = session.replace(/\d{13}/, '9999999999999')
    expect(forged).not.toBe(session)
    for (const value of ['', 'x', forged, notice, `${session}x`]) {
      const outsider = new Visitor(url)
      outsider.cookies.set('seqsvr_session', value)
      expect((await outsider.get()).body, value).not.toContain('Create a sequence')
      const refused = await outsider.post('/status/create', { name: 'orders' })
      expect([refused.status, message(refused.body)], value).toEqual([
        401,
        'Your login has ended. Nothing was changed.',
      ])
    }
    expect(await segments.list('', 10)).toEqual([])
  })

  it('ends a login after eight hours, whatever the browser does with the cookie', async () => {
    const { url } = await startInstance()
    const visitor = new Visitor(url)
    await visitor.logIn()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 28_799_000 })
    onTestFinished(() => void vi.useRealTimers())
    expect((await visitor.get()).body).toContain('Create a sequence')
    vi.setSystemTime(Date.now() + 1_000)
    expect((await visitor.get()).body).not.toContain('Create a sequence')
  })

  it.each([
    ['from another site', { origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site' }],
    ['from another port', { origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' }],
    ['from nowhere', {}],
    ['from a page that hides its origin', { origin: 'null' }],
  ])('takes no form %s', async (_what, headers) => {
    const { url, segments } = await startInstance()
    const visitor = new Visitor(url)
    await visitor.logIn()
    for (const path of ['create', 'advance', 'retire', 'login', 'logout']) {
      const refused = await visitor.post(
        `/status/${path}`,
        { name: 'orders', ids: '1', token: ADMIN_TOKEN },
        headers,
      )
      expect([refused.status, message(refused.body)], path).toEqual([
        403,
        'That form did not come from this page. Nothing was changed.',
      ])
    }
    expect(await segments.list('', 10)).toEqual([])
  })

  it('I9: stops looking at tokens after ten wrong ones, for six seconds each', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const { url } = await startInstance()
    const visitor = new Visitor(url)
    const logIn = async (token: string) => (await visitor.post('/status/login', { token })).status
    for (let i = 0; i < 10; i++) expect(await logIn('wrong')).toBe(403)
    expect(await logIn(ADMIN_TOKEN)).toBe(429)
    expect(message((await visitor.post('/status/login', { token: 'x' })).body)).toBe(
      'Too many wrong tokens. Try again in some seconds.',
    )
    vi.advanceTimersByTime(5_999)
    expect(await logIn(ADMIN_TOKEN)).toBe(429)
    vi.advanceTimersByTime(1)
    expect(await logIn('wrong')).toBe(403)
    expect(await logIn(ADMIN_TOKEN)).toBe(429)
    vi.advanceTimersByTime(6_000)
    expect(await logIn(ADMIN_TOKEN)).toBe(303)
    expect(await logIn(ADMIN_TOKEN)).toBe(303)
  })

  it('creates, advances and retires, and tells once what was done', async () => {
    const { url, segments, events } = await startInstance()
    const visitor = new Visitor(url)
    await visitor.logIn()
    const done = async (path: string, form: Record<string, string>) => {
      const answer = await visitor.post(`/status/${path}`, form)
      expect([answer.status, answer.headers.get('location')]).toEqual([303, '/'])
      const told = message((await visitor.get()).body)
      expect(message((await visitor.get()).body)).toBeUndefined()
      return told
    }
    expect(await done('create', { name: 'orders', start: '', step: '' })).toBe('Created orders.')
    expect(await done('create', { name: 'größe & co', start: '1,000,000', step: '50' })).toBe(
      'Created größe &amp; co.',
    )
    expect(await segments.list('', 10)).toEqual([
      { name: 'größe & co', maxId: 1_000_000n, step: 50n },
      { name: 'orders', maxId: 1n, step: 1000n },
    ])
    expect(await done('advance', { name: 'orders', how: 'by', ids: '5,000' })).toBe(
      'Advanced orders: its next lease starts at 5,001.',
    )
    expect(await done('advance', { name: 'orders', how: 'to', ids: '9223372036854775000' })).toBe(
      'Advanced orders: its next lease starts at 9,223,372,036,854,775,000.',
    )
    expect((await visitor.get()).body).toContain('<td class="number">9,223,372,036,854,775,000</td>')

    const asked = await visitor.post('/status/retire', { name: 'orders' })
    expect(asked.status).toBe(200)
    expect(asked.body).toContain('Retire orders?')
    expect(await segments.list('', 10)).toHaveLength(2)
    expect(await done('retire', { name: 'orders', confirmed: 'yes' })).toBe('Retired orders.')
    expect((await segments.list('', 10)).map(({ name }) => name)).toEqual(['größe & co'])

    const by = 'page'
    expect(events).toEqual([
      { type: 'created', by, name: 'orders', numbers: { start: '1', step: 1000 } },
      { type: 'created', by, name: 'größe & co', numbers: { start: '1000000', step: 50 } },
      { type: 'advanced', by, name: 'orders', numbers: { max_id: '5001' } },
      { type: 'advanced', by, name: 'orders', numbers: { max_id: '9223372036854775000' } },
      { type: 'retired', by, name: 'orders', numbers: {} },
    ])

    expect(await done('logout', {})).toBe('You have logged out.')
    expect(visitor.cookies.size).toBe(0)
  })

  it.each([
    ['create', { name: 'taken' }, 409, /^There is a sequence .*taken.* already/],
    ['create', { name: '' }, 400, /must not be empty/],
    ['create', { name: 'orders', step: '0' }, 400, /^Step must be a whole number from 1 to/],
    ['create', { name: 'orders', start: 'one' }, 400, /^The first id must be in digits\.$/],
    ['advance', { name: 'orders', how: 'by', ids: '1' }, 404, /^There is no sequence/],
    ['advance', { name: 'taken', how: 'by', ids: '' }, 400, /^By must be a whole number from 1 to/],
    ['advance', { name: 'taken', how: 'to', ids: '99999999999999999999' }, 400, /in digits/],
    ['retire', { name: 'orders' }, 404, /^There is no sequence/],
    ['retire', { name: 'orders', confirmed: 'yes' }, 404, /^There is no sequence/],
    ['create', { name: 'taken', start: '1'.repeat(4_096) }, 413, /^The form is too large\.$/],
  ])('says in words why not: %s %#', async (path, form, status, words) => {
    const { url, segments } = await startInstance()
    await segments.create('taken', 1n, 1000)
    const visitor = new Visitor(url)
    await visitor.logIn()
    const refused = await visitor.post(`/status/${path}`, form as Record<string, string>)
    expect(refused.status).toBe(status)
    expect(message(refused.body)).toMatch(words)
    expect(refused.body).toContain('Create a sequence')
    if (status !== 413 && form.name !== '')
      expect(refused.body.split(`value="${form.name}"`)).toHaveLength(form.name === 'taken' ? 3 : 2)
    expect(await segments.list('', 10)).toHaveLength(1)
  })

  it('lists long stores page by page', async () => {
    const { url, segments } = await startInstance()
    const names = Array.from({ length: 51 }, (_, index) => `s${100 + index}`)
    for (const name of names) await segments.create(name, 1n, 1000)
    const visitor = new Visitor(url)
    await visitor.logIn()
    const { body } = await visitor.get()
    expect(body).toContain('<td>s149</td>')
    expect(body).not.toContain('<td>s150</td>')
    expect(body).toContain('href="/?after=s149"')
    const more = await visitor.get('/?after=s149')
    expect(more.body).toContain('<td>s150</td>')
    expect(more.body).not.toContain('/?after=')
  })
})
