import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { ask, startInstance } from '../http/instance.ts'
import { Visitor } from './visitor.ts'

const HOSTILE = `<script>alert(1)</script>"'&`
const ESCAPED = '&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;'

function hashOf(text: string | undefined): string {
  return `'sha256-${createHash('sha256')
    .update(text as string)
    .digest('base64')}'`
}

describe('the status page', () => {
  it('is HTML for browsers and a few lines of help for curl', async () => {
    const { url } = await startInstance()
    const page = await new Visitor(url).get()
    expect(page.status).toBe(200)
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page.body).toMatch(/^<!doctype html><html lang="en">/)
    expect(page.body).toContain('<main>')
    const help = await fetch(`${url}/`)
    expect(help.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(help.headers.get('vary')).toBe('accept')
    const text = await help.text()
    expect(text).toMatch(/^seqsvr 1\.2\.3, ready\n/)
    expect(text).toContain(`curl ${url}/new `)
  })

  it('says what to type next, openly while no id was handed out', async () => {
    const { url } = await startInstance()
    const visitor = new Visitor(url)
    expect((await visitor.get()).body).toContain('<details open=""><summary>What to type')
    await ask(`${url}/new`)
    const { body } = await visitor.get()
    expect(body).toContain('<details><summary>What to type')
    expect(body).toContain(`curl &#39;${url}/new?count=5&amp;format=text&#39;`)
  })

  it('lets the browser load nothing and run nothing but its own script and style', async () => {
    const { url } = await startInstance()
    const { headers, body } = await new Visitor(url).get()
    const style = /<style>([\s\S]*?)<\/style>/.exec(body)?.[1]
    const script = /<script type="module">([\s\S]*?)<\/script>/.exec(body)?.[1]
    expect(headers.get('content-security-policy')?.split('; ')).toEqual([
      "default-src 'none'",
      `style-src ${hashOf(style)}`,
      `script-src ${hashOf(script)}`,
      "connect-src 'self'",
      'img-src data:',
      "form-action 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ])
    expect(body).not.toMatch(/ (style|on\w+)="/)
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('same-origin')
    expect(headers.get('cache-control')).toBe('no-store')
  })

  it('touches no other path', async () => {
    const { url } = await startInstance()
    for (const path of ['/new', '/livez', '/status', '/status/other', '/nowhere'])
      expect((await fetch(url + path)).headers.get('content-security-policy'), path).toBeNull()
    expect((await fetch(`${url}/status`)).status).toBe(404)
  })

  it('shows names as text, whatever they hold', async () => {
    const { url, segments } = await startInstance()
    await segments.create(HOSTILE, 1n, 1000)
    await ask(`${url}/alloc?app_tag=${encodeURIComponent(HOSTILE)}`)
    const visitor = new Visitor(url)
    await visitor.logIn()
    await visitor.post('/status/create', { name: HOSTILE, start: HOSTILE })
    for (const path of ['/', `/?after=${encodeURIComponent(HOSTILE)}`]) {
      const { body } = await visitor.get(path)
      expect(body).toContain(ESCAPED)
      expect(body.match(/<script/g)).toHaveLength(1)
    }
    for (const form of [
      { name: HOSTILE, start: HOSTILE },
      { name: `${HOSTILE}\u0000`, start: '' },
    ]) {
      const { body } = await visitor.post('/status/create', form)
      expect(body.match(/<script/g)).toHaveLength(1)
    }
    const { body } = await visitor.post('/status/retire', { name: HOSTILE })
    expect(body).toContain(`Retire ${ESCAPED}?`)
    expect(body).not.toContain('<script')
  })

  it('uses up no id, and HEAD leaves nobody who listens', async () => {
    const { url } = await startInstance()
    for (let i = 0; i < 60; i++)
      expect((await fetch(`${url}/status/live`, { method: 'HEAD' })).status).toBe(200)
    const response = await fetch(`${url}/status/live`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    await response.body?.cancel()
    expect((await ask(`${url}/new`))[1]).toContain('"id":100')
  })

  it('I9: fifty browsers follow it at most; one that leaves makes room', async () => {
    const { url } = await startInstance()
    const { port } = new URL(url)
    const follow = async () => {
      const socket = connect(Number(port), '127.0.0.1')
      onTestFinished(() => void socket.destroy())
      socket.write('GET /status/live HTTP/1.1\r\nhost: a\r\n\r\n')
      const [head] = (await new Promise((resolve) => {
        socket.once('data', (data) => resolve(String(data).split('\r\n')))
      })) as string[]
      return { socket, head }
    }
    const followers = await Promise.all(Array.from({ length: 50 }, follow))
    expect(new Set(followers.map(({ head }) => head))).toEqual(new Set(['HTTP/1.1 200 OK']))
    expect((await follow()).head).toBe('HTTP/1.1 503 Service Unavailable')
    followers[0]?.socket.destroy()
    await vi.waitUntil(async () => (await follow()).head === 'HTTP/1.1 200 OK')
  })
})
