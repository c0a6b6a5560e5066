import {
  configureSync,
  getAnsiColorFormatter,
  getJsonLinesFormatter,
  getLogger,
  type Logger,
} from '@logtape/logtape'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/**
 * Opens the log on standard output: one JSON object a line, or readable text on a terminal. Calling it again
 * changes the level.
 */
export function openLog(level: LogLevel, terminal = process.stdout.isTTY === true): Logger {
  const format = terminal
    ? getAnsiColorFormatter({ timestamp: 'time', level: 'FULL', category: () => '', format: terminalLine })
    : getJsonLinesFormatter({ properties: 'flatten', message: 'rendered' })
  configureSync({
    reset: true,
    sinks: { stdout: (record) => void process.stdout.write(format(record)) },
    loggers: [
      { category: 'seqsvr', sinks: ['stdout'], lowestLevel: level === 'warn' ? 'warning' : level },
      { category: ['logtape', 'meta'], sinks: ['stdout'], lowestLevel: 'warning' },
    ],
  })
  return getLogger('seqsvr')
}

function terminalLine(values: { timestamp: string | null; level: string; message: string }): string {
  return `${values.timestamp} ${values.level} ${values.message}`
}
