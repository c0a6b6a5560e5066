import { v7 as uuidv7 } from 'uuid'
import type { Config } from '../config/schema.ts'
import { SequenceError } from '../core/errors.ts'
import { checkRule } from '../rules/check.ts'
import { TimeZone } from '../rules/time-zone.ts'
import { EXIT_OK, EXIT_RUNTIME } from './exit-codes.ts'
import { openStore } from './open-store.ts'

/** Says whether an instance with this configuration could serve; changes nothing. */
export async function check(config: Config): Promise<number> {
  const store = openStore(config, uuidv7())
  console.log('ok: the configuration is valid')
  const areRulesWell = await checkRules(config)
  try {
    const state = await store.inspect()
    console.log(
      state === 'ready'
        ? `ok: ${store.description} answers, has its tables and agrees on step ${config.step}`
        : `ok: ${store.description} is empty; \`seqsvr serve\` or \`seqsvr init\` makes what is missing and agrees on step ${config.step}`,
    )
    return areRulesWell ? EXIT_OK : EXIT_RUNTIME
  } catch (error) {
    if (!(error instanceof SequenceError)) throw error
    console.log(`failed: ${error.code}: ${error.message}`)
    return EXIT_RUNTIME
  } finally {
    await store.close()
  }
}

/** Runs every rule with made-up input, and tells what is wrong. False where a rule could not be served. */
async function checkRules({ udp }: Config): Promise<boolean> {
  const options = {
    zone: new TimeZone(udp.time_zone),
    idStep: udp.id_step,
    idOffset: udp.id_offset,
    nowSeconds: Math.floor(Date.now() / 1000),
  }
  let areWell = true
  for (const rule of udp.rules) {
    const { problems, warnings } = await checkRule(rule, options)
    for (const problem of problems) console.log(`failed: rule ${rule.name}: ${problem}`)
    for (const warning of warnings) console.log(`warning: rule ${rule.name}: ${warning}`)
    if (problems.length + warnings.length === 0) console.log(`ok: rule ${rule.name} in ${rule.lua_file}`)
    areWell &&= problems.length === 0
  }
  return areWell
}
