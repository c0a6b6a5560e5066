import { v7 as uuidv7 } from 'uuid'
import { ConfigError, type ConfigSources, loadConfig } from '../../config/load.ts'
import type { Config } from '../../config/schema.ts'
import type { Finding } from '../../core/finding.ts'
import { EXIT_CONFIG, EXIT_OK, EXIT_RUNTIME } from '../exit-codes.ts'
import { openStore } from '../open-store.ts'
import { checkConfig, configProblems } from './config.ts'
import { isFit, toJson, toText } from './report.ts'
import { checkRules } from './rules.ts'

/**
 * Says whether an instance with this configuration could serve, and what could lead to ids that repeat; changes nothing.
 * Prints text, or one JSON object. Throws a ConfigError, unless it can be part of the object.
 */
export async function check(sources: ConfigSources, json: boolean): Promise<number> {
  const format = json ? toJson : toText
  try {
    const config = loadConfig(sources)
    const findings = [
      ...checkConfig(sources, Date.now()),
      ...(await checkStore(config)),
      ...(await checkRules(config)),
    ]
    console.log(format(findings))
    return isFit(findings) ? EXIT_OK : EXIT_RUNTIME
  } catch (error) {
    if (!json || !(error instanceof ConfigError)) throw error
    console.log(format(configProblems(error)))
    return EXIT_CONFIG
  }
}

async function checkStore(config: Config): Promise<readonly Finding[]> {
  const store = openStore(config, uuidv7())
  try {
    return await store.inspect()
  } finally {
    await store.close()
  }
}
