import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Finding, type FindingTable, findingsOf } from '../../core/finding.ts'

/** What is looked at around the file of the embedded store. */
export const fileFindings = {
  'file-system': {
    severities: ['danger', 'warning'],
    why: 'the file is the memory of all that was leased. Locks and syncs of network file systems cannot be relied on, so that two processes lease the same ids, or a crash takes leases back; where the file is lost, ids start again',
  },
  'disk-space': {
    severities: ['failed', 'warning'],
    why: 'a lease needs room for its journal',
  },
  'file-access': {
    severities: ['failed', 'warning'],
    why: 'a lease writes the file and, beside it, its journal; who else may write them can take leases back',
  },
} as const satisfies FindingTable

const { ok, bad } = findingsOf(fileFindings)

/** What is asked of the operating system. */
export interface FileSystem {
  /** As `fs.statfsSync`: the type is the magic number of Linux. */
  statfs(path: string): { readonly type: number; readonly bsize: number; readonly bavail: number }
  /** Throws where this process may not. */
  access(path: string, mode: number): void
}

const realFileSystem: FileSystem = { statfs: (path) => statfsSync(path), access: accessSync }

/** Magic numbers of statfs(2), in https://man7.org/linux/man-pages/man2/statfs.2.html and linux/magic.h. */
const NETWORK: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0x65735546, 'FUSE (sshfs, cloud storage, a folder shared with a virtual machine, …)'],
  [0x01021997, '9p (a folder shared with a virtual machine)'],
  [0x786f4256, 'vboxsf (a folder shared with a virtual machine)'],
  [0xbacbacbc, 'vmhgfs (a folder shared with a virtual machine)'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x19830326, 'BeeGFS'],
  [0x47504653, 'GPFS'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
])

const MEMORY: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
])

const LOCAL: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'XFS'],
  [0x9123683e, 'Btrfs'],
  [0x2fc12fc1, 'ZFS'],
  [0xf2f52010, 'F2FS'],
])

const OVERLAY = 0x794c7630

const MIB = 1024 * 1024
const ROOM_MIN = MIB
const ROOM_ENOUGH = 100 * MIB

/** Looks at where the file lies, or would be made. */
export function inspectFile(file: string, system: FileSystem = realFileSystem): Finding[] {
  const path = resolve(file)
  const place = existsSync(path) ? path : existingFolder(dirname(path))
  const { type, bsize, bavail } = system.statfs(place)
  // Some types have a sign where a long has 32 bits.
  return [judgeType(place, type >>> 0), judgeRoom(place, bavail * bsize), ...judgeAccess(path, system)]
}

function existingFolder(folder: string): string {
  return existsSync(folder) ? folder : existingFolder(dirname(folder))
}

function judgeType(place: string, type: number): Finding {
  const advice = 'put sqlite.file on a local disk or volume, or use MySQL'
  const network = NETWORK.get(type)
  if (network !== undefined)
    return bad('file-system', 'danger', `${place} is on a network file system, ${network}`, advice)
  const memory = MEMORY.get(type)
  if (memory !== undefined)
    return bad('file-system', 'danger', `${place} is in memory (${memory}), and lost at a restart`, advice)
  if (type === OVERLAY)
    return bad(
      'file-system',
      'warning',
      `${place} is on an overlay file system: in a container, that is lost with the container`,
      'in a container, put sqlite.file on a volume',
    )
  const local = LOCAL.get(type)
  if (local !== undefined) return ok('file-system', `${place} is on ${local}, a local file system`)
  return ok(
    'file-system',
    `${place} is on a file system of type 0x${type.toString(16)}, which is none of a network`,
  )
}

function judgeRoom(place: string, bytes: number): Finding {
  const what = `${Math.floor(bytes / MIB).toLocaleString('en')} MiB are free at ${place}`
  if (bytes >= ROOM_ENOUGH) return ok('disk-space', what)
  return bad('disk-space', bytes < ROOM_MIN ? 'failed' : 'warning', what, 'make room')
}

function judgeAccess(path: string, { access }: FileSystem): Finding[] {
  const folder = existingFolder(dirname(path))
  try {
    if (!statSync(folder).isDirectory()) return [noAccess(`${folder} is no folder`)]
    access(folder, constants.W_OK | constants.X_OK)
    if (existsSync(path)) {
      if (!statSync(path).isFile()) return [noAccess(`${path} is no file`)]
      access(path, constants.R_OK | constants.W_OK)
    }
  } catch (error) {
    return [noAccess((error as Error).message)]
  }
  const open = [folder, path].filter((place) => existsSync(place) && isWritableByAll(place))
  if (open.length === 0) return [ok('file-access', `this user may write ${path}`)]
  return [
    bad(
      'file-access',
      'warning',
      `every user of this machine may write ${open.join(' and ')}`,
      `chmod o-w ${open.join(' ')}`,
    ),
  ]
}

function noAccess(what: string): Finding {
  return bad(
    'file-access',
    'failed',
    what,
    'let this user write the file and its folder, or choose another sqlite.file',
  )
}

/** A folder like /tmp keeps each user's files from the others. */
function isWritableByAll(place: string): boolean {
  const stat = statSync(place)
  const isSticky = stat.isDirectory() && (stat.mode & 0o1000) !== 0
  return (stat.mode & 0o002) !== 0 && !isSticky
}
