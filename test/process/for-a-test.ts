import { inject, onTestFinished } from 'vitest'
import { createDatabase, dropDatabase, type TestDatabase } from '../support/mysql-server.ts'
import { SeqsvrProcess } from '../support/seqsvr-process.ts'

/** A database of the tests' server that is dropped with the test. */
export async function database(): Promise<TestDatabase> {
  const made = await createDatabase(inject('mysql'))
  onTestFinished(() => dropDatabase(made))
  return made
}

/** An instance that is killed with the test. */
export async function start(env: Record<string, string>): Promise<SeqsvrProcess> {
  const instance = await SeqsvrProcess.start(env)
  onTestFinished(() => instance.kill())
  return instance
}
