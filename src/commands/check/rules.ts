import { existsSync } from 'node:fs'
import type { Config } from '../../config/schema.ts'
import { type Finding, type FindingTable, findingsOf } from '../../core/finding.ts'
import { checkRule } from '../../rules/check.ts'
import { TimeZone } from '../../rules/time-zone.ts'

/** What is looked at of the rules. */
export const ruleFindings = {
  rule: {
    severities: ['failed'],
    why: 'an instance does not start with a rule that cannot be loaded, and a script that fails gives no id',
  },
  'rule-repeats': {
    severities: ['warning'],
    why: 'the numbers behind the ids do not repeat, but a script that prints less than what tells two of them apart gives the same id twice',
  },
  'rule-time-zone': {
    severities: [],
    why: 'instances that share counters must agree on where a day begins',
  },
} as const satisfies FindingTable

const { ok, bad } = findingsOf(ruleFindings)

/** Runs every rule with made-up input, and tells what is wrong. */
export async function checkRules({ udp }: Config): Promise<Finding[]> {
  if (udp.rules.length === 0) return []
  const options = {
    zone: new TimeZone(udp.time_zone),
    idStep: udp.id_step,
    idOffset: udp.id_offset,
    nowSeconds: Math.floor(Date.now() / 1000),
  }
  const findings = [
    ok('rule-time-zone', `periods of rules follow ${udp.time_zone}, which all instances must have`),
  ]
  for (const rule of udp.rules) {
    const { problems, warnings } = await checkRule(rule, options)
    const advice = existsSync(rule.lua_file) ? 'mend the script' : 'put the file there, or mend lua_file'
    for (const problem of problems)
      findings.push(bad('rule', 'failed', `rule ${rule.name}: ${problem}`, advice))
    for (const warning of warnings)
      findings.push(
        bad(
          'rule-repeats',
          'warning',
          `rule ${rule.name}: ${warning}`,
          'see "What keeps an id unique" in docs/rules.md, and mend the script',
        ),
      )
    if (problems.length + warnings.length === 0)
      findings.push(ok('rule', `rule ${rule.name} in ${rule.lua_file}`))
  }
  return findings
}
