import { corpus } from './lane-corpus.ts'

function pick<T>(list: readonly T[], random: () => number): T {
  return list[Math.floor(random() * list.length)] as T
}

/** A difference in these can be looked at. */
const SHORT = corpus.filter(({ length }) => length < 400)

const SPLINTERS = [
  '\r\n',
  '\n',
  '\r',
  ' ',
  '\t',
  ':',
  '\0',
  '\x7f',
  '\xe9',
  '?',
  '&',
  '#',
  '%',
  '/',
  'Host: b\r\n',
]

/** One to three requests of the corpus with some bytes changed, in one to three packets. */
export function mutated(random: () => number): string[] {
  let text = ''
  for (let i = 0; i < 1 + random() * 3; i++) text += pick(SHORT, random)
  for (let i = random() * 3; i >= 1; i--) {
    const at = Math.floor(random() * text.length)
    const cut = random() < 0.5 ? Math.floor(random() * 4) : 0
    const put = random() < 0.3 ? String.fromCharCode(Math.floor(random() * 256)) : pick(SPLINTERS, random)
    text = text.slice(0, at) + (random() < 0.7 ? put : '') + text.slice(at + cut)
  }
  const pieces: string[] = []
  for (let i = random() * 3; i >= 1; i--) {
    const at = Math.floor(random() * text.length)
    pieces.push(text.slice(0, at))
    text = text.slice(at)
  }
  return [...pieces, text].filter((piece) => piece !== '')
}
