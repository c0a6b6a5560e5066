import { raw } from 'hono/html'
import type { Child } from 'hono/jsx'
import { script } from './script.ts'
import { style } from './style.ts'

const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect x="1" y="1" width="14" height="14" rx="3" fill="#0a6a55"/><path d="M4 5h8M4 8h8M4 11h5" stroke="#fff" stroke-width="1.5"/></svg>',
)}`

interface DocumentProps {
  readonly title: string
  readonly loggedIn: boolean
  readonly live?: boolean
  readonly children: Child
}

/** The frame around every page. Style and script stand in it: their hashes are what its policy allows. */
export function Document({ title, loggedIn, live = false, children }: DocumentProps) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{title}</title>
        <link rel="icon" href={ICON} />
        <style>{raw(style)}</style>
      </head>
      <body>
        <header class="top">
          <a class="name" href="/">
            seqsvr
          </a>
          {live && <span id="connection">reload for fresh numbers</span>}
          {loggedIn && (
            <form method="post" action="/status/logout">
              <button type="submit" class="quiet">
                Log out
              </button>
            </form>
          )}
        </header>
        <main>{children}</main>
        <footer class="note">
          <a href="/docs">API</a> <a href="/metrics">Metrics</a>
        </footer>
        {live && <script type="module">{raw(script)}</script>}
      </body>
    </html>
  )
}

/** What to type next, open while no id was handed out yet. */
export function FirstSteps({ origin, open }: { origin: string; open: boolean }) {
  return (
    <details open={open}>
      <summary>What to type</summary>
      <pre>{firstSteps(origin)}</pre>
    </details>
  )
}

export function firstSteps(origin: string): string {
  const lines = [
    [`curl ${origin}/new`, 'the next id'],
    [`curl '${origin}/new?count=5&format=text'`, 'five, one a line'],
    ['node dist/main.js sequence create orders', 'makes the named sequence orders'],
    [`curl '${origin}/alloc?app_tag=orders'`, 'its next id'],
  ] as const
  const width = Math.max(...lines.map(([command]) => command.length))
  return lines.map(([command, what]) => `${command.padEnd(width)}  # ${what}`).join('\n')
}
