import { expect, it } from 'vitest'
import { toSequenceError } from '../../src/store/mysql/errors.ts'

it.each([
  [
    'connect ECONNREFUSED 127.0.0.1:3306',
    { code: 'ECONNREFUSED', errno: -111 },
    'MySQL is not available (connect ECONNREFUSED 127.0.0.1:3306)',
  ],
  [
    'Connection lost: The server closed the connection.',
    { code: 'PROTOCOL_CONNECTION_LOST' },
    'MySQL is not available (PROTOCOL_CONNECTION_LOST Connection lost: The server closed the connection.)',
  ],
  [
    "Unknown database 'sequence'",
    { code: 'ER_BAD_DB_ERROR', errno: 1049, sqlState: '42000' },
    "MySQL: there is no such database: CREATE DATABASE, or check mysql.database (1049 Unknown database 'sequence')",
  ],
])('%s: says it once, with a code to look up', (message, fields, expected) => {
  expect(toSequenceError(Object.assign(new Error(message), fields), 'MySQL').message).toBe(expected)
})
