import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { load, loadAll } from 'js-yaml'
import { Deployment, type IDeployment } from 'kubernetes-models/apps/v1'
import { type IPodDisruptionBudget, PodDisruptionBudget } from 'kubernetes-models/policy/v1'
import { type ISecret, type IService, Secret, Service } from 'kubernetes-models/v1'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/schema.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const FOLDER = 'deploy/kubernetes'
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

/** Where the types of each kind are, besides its class. */
const KINDS = {
  Deployment: { Model: Deployment, module: 'kubernetes-models/apps/v1' },
  PodDisruptionBudget: { Model: PodDisruptionBudget, module: 'kubernetes-models/policy/v1' },
  Secret: { Model: Secret, module: 'kubernetes-models/v1' },
  Service: { Model: Service, module: 'kubernetes-models/v1' },
} as const
type Manifest = { readonly kind: keyof typeof KINDS; readonly apiVersion: string }

interface Kustomization {
  readonly resources: readonly string[]
  readonly configMapGenerator: readonly { readonly name: string; readonly files: readonly string[] }[]
  readonly images: readonly { readonly name: string }[]
}

function read(file: string): string {
  return readFileSync(join(FOLDER, file), 'utf8')
}

const kustomization = load(read('kustomization.yaml')) as Kustomization
const files = readdirSync(FOLDER).filter((file) => file.endsWith('.yaml') && file !== 'kustomization.yaml')
const manifests = files.flatMap((file) => loadAll(read(file)) as Manifest[])
const of = <T>(kind: keyof typeof KINDS) => manifests.find((manifest) => manifest.kind === kind) as T
const deployment = of<IDeployment>('Deployment')
const pod = deployment.spec?.template.spec as NonNullable<
  NonNullable<IDeployment['spec']>['template']['spec']
>
const container = pod.containers[0] as (typeof pod.containers)[0]
const secret = of<ISecret>('Secret')

/** The configuration of the pods; only the place of the password is another. */
async function configOfPods(): Promise<Config> {
  const folder = await temporaryFolder()
  await writeFile(join(folder, 'password'), 'of the tests')
  await writeFile(
    join(folder, 'config.yml'),
    read('config.yml').replace('/run/secrets/seqsvr/password', join(folder, 'password')),
  )
  return loadConfig({ cwd: folder, env: {}, flags: {} })
}

/**
 * What TypeScript says of manifests as values of Kubernetes' own types. The schemas accept keys that they do not know;
 * TypeScript does not.
 */
async function typeErrors(values: readonly Manifest[]): Promise<string> {
  const folder = await temporaryFolder()
  const models = dirname(dirname(createRequire(import.meta.url).resolve('kubernetes-models/v1')))
  const lines = values.map(
    (value, i) =>
      `export const m${i}: import('${KINDS[value.kind].module}').I${value.kind} = ${JSON.stringify(value)}`,
  )
  await writeFile(join(folder, 'manifests.ts'), lines.join('\n'))
  await mkdir(join(folder, 'node_modules'))
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        ...{ strict: true, noEmit: true, skipLibCheck: true, types: [] },
        ...{ target: 'ES2022', module: 'ESNext', moduleResolution: 'Bundler' },
        paths: { 'kubernetes-models/*': [`${models}/*`] },
      },
    }),
  )
  const tsc = run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder])
  return tsc.then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  )
}

describe('deploy/kubernetes', () => {
  it('fits the schemas of Kubernetes', () => {
    for (const manifest of manifests) {
      const { Model } = KINDS[manifest.kind]
      expect(manifest.apiVersion).toBe(Model.apiVersion)
      new Model(manifest as never).validate()
    }
    expect(manifests.map(({ kind }) => kind).sort()).toEqual(Object.keys(KINDS))
  })

  it('has no key that Kubernetes does not know', async () => {
    expect(await typeErrors(manifests)).toBe('')
    const misspelt = structuredClone(deployment)
    Object.assign(misspelt.spec?.template.spec?.containers[0] as object, { readinesProbe: {} })
    expect(await typeErrors([misspelt as Manifest])).toMatch(/'"?readinesProbe"?' does not exist/)
  })

  it('is complete: the kustomization names every file but the example, and all names are made somewhere', () => {
    expect([...kustomization.resources].sort()).toEqual(
      files.filter((file) => !file.includes('example')).sort(),
    )
    const [generated] = kustomization.configMapGenerator
    expect(generated?.files.map((file) => read(file).length > 0)).toEqual([true])
    expect(pod.volumes).toMatchObject([
      { name: 'config', configMap: { name: generated?.name } },
      { name: 'mysql', secret: { secretName: secret.metadata?.name } },
    ])
    expect(kustomization.images.map(({ name }) => name)).toEqual([container.image])
    const { matchLabels } = deployment.spec?.selector ?? {}
    expect(deployment.spec?.template.metadata?.labels).toEqual(matchLabels)
    expect(of<IService>('Service').spec?.selector).toEqual(matchLabels)
    expect(of<IPodDisruptionBudget>('PodDisruptionBudget').spec?.selector?.matchLabels).toEqual(matchLabels)
  })

  it('mounts a configuration that seqsvr accepts, with the secret where it looks for it, on the port of the probes', async () => {
    const config = await configOfPods()
    expect(config.mysql).toMatchObject({ user: 'seqsvr', database: 'sequence', password: 'of the tests' })
    const mounted = container.volumeMounts?.find(({ name }) => name === 'mysql')?.mountPath
    const [key] = Object.keys(secret.stringData ?? {})
    expect(read('config.yml')).toContain(`password_file: ${mounted}/${key}\n`)
    expect(container.ports).toEqual([{ name: 'http', containerPort: config.port.port }])
    expect([container.startupProbe, container.readinessProbe, container.livenessProbe]).toMatchObject([
      { httpGet: { path: '/livez', port: 'http' } },
      { httpGet: { path: '/readyz', port: 'http' } },
      { httpGet: { path: '/livez', port: 'http' } },
    ])
  })

  it('gives an instance more time to end than its pause and its drain need', async () => {
    const { drain_ms } = await configOfPods()
    const [command, seconds] = container.lifecycle?.preStop?.exec?.command ?? []
    expect(command).toBe('sleep')
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(Number(seconds) + drain_ms / 1000)
  })

  it('gives it no rights, no writable file and no variables of services', () => {
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    })
    expect(container.volumeMounts?.every(({ readOnly }) => readOnly)).toBe(true)
    expect(pod.enableServiceLinks).toBe(false)
    expect(pod.automountServiceAccountToken).toBe(false)
  })
})
