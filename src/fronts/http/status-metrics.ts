import type { Aggregator } from '@platformatic/prom-client'
import { RATE_SECONDS_SHORT } from '../../status/limits.ts'
import type { FrontStatus, InstanceStatus, SequenceStatus } from '../../status/status.ts'
import { errorTable } from '../error-table.ts'

type Labels = Readonly<Record<string, string>>
type Sample = readonly [labels: Labels, value: number]

/** A metric whose values are read from the status of an instance when Prometheus asks. */
export interface StatusMetric {
  readonly type: 'counter' | 'gauge'
  readonly name: string
  readonly help: string
  readonly labelNames: readonly string[]
  /** How the values of several processes become one; their sum where it is left out. */
  readonly aggregator?: Aggregator
  readonly samples: (status: InstanceStatus) => readonly Sample[]
}

/** `kind` keeps them apart, whatever a named sequence is called. */
const SEQUENCE_LABELS = ['kind', 'sequence'] as const
const OTHERS: Labels = { kind: 'other', sequence: '_other' }

const CODES = Object.keys(errorTable)

export const statusMetrics: readonly StatusMetric[] = [
  {
    type: 'gauge',
    name: 'seqsvr_build_info',
    help: 'Always 1; its labels say what runs here.',
    labelNames: ['version', 'node_version', 'store'],
    aggregator: 'first',
    samples: ({ version, store }) => [
      [{ version, node_version: process.version, store: store.description }, 1],
    ],
  },
  {
    type: 'gauge',
    name: 'seqsvr_ready',
    help: '1 while this instance should get requests, as /readyz says; else 0.',
    labelNames: [],
    aggregator: 'min',
    samples: ({ unreadiness }) => [[{}, unreadiness === null ? 1 : 0]],
  },
  {
    type: 'gauge',
    name: 'seqsvr_store_up',
    help: '0 while the store did not answer, or was not fit, when last asked for a lease; else 1.',
    labelNames: [],
    aggregator: 'min',
    samples: ({ store }) => [[{}, store.fault === null ? 1 : 0]],
  },
  {
    type: 'counter',
    name: 'seqsvr_ids_issued_total',
    help: 'Ids handed out, by the front that they left through; those of rules too.',
    labelNames: ['front'],
    samples: ofFronts(({ name, issued }) => [[{ front: name }, issued]]),
  },
  {
    type: 'counter',
    name: 'seqsvr_request_failures_total',
    help: 'Requests for ids that failed, by the front and the error code that they got.',
    labelNames: ['front', 'code'],
    // All from the start: Prometheus does not see the first failure of a series that begins with it as a rise.
    samples: ofFronts(({ name, failures }) =>
      CODES.map((code) => [{ front: name, code }, failures[code] ?? 0]),
    ),
  },
  {
    type: 'counter',
    name: 'seqsvr_sequence_ids_issued_total',
    help: 'Ids handed out, by sequence: the generator, the named ones that are shown, and all others together.',
    labelNames: SEQUENCE_LABELS,
    samples: ofSequences(({ issued }) => issued),
  },
  {
    type: 'gauge',
    name: 'seqsvr_sequence_ids_left',
    help: 'Ids in memory, by sequence: what can be served without the store.',
    labelNames: SEQUENCE_LABELS,
    samples: ofSequences(({ left }) => left),
  },
  {
    type: 'gauge',
    name: 'seqsvr_sequence_runway_seconds',
    help: `How long the ids in memory last at the rate of the last ${RATE_SECONDS_SHORT} s; +Inf while none are asked for.`,
    labelNames: SEQUENCE_LABELS,
    aggregator: 'min',
    samples: ({ sequences }) => sequences.map((sequence) => [labelsOf(sequence), runwaySeconds(sequence)]),
  },
  {
    type: 'gauge',
    name: 'seqsvr_sequence_waiters',
    help: 'Requests that wait for a lease, by sequence.',
    labelNames: SEQUENCE_LABELS,
    samples: ofSequences(({ waiting }) => waiting),
  },
  {
    type: 'gauge',
    name: 'seqsvr_sequence_leased_to',
    help: 'The end of the greatest lease granted to this instance, rounded: the id space ends at 2^63.',
    labelNames: SEQUENCE_LABELS,
    aggregator: 'max',
    samples: ({ sequences }) =>
      sequences.flatMap((sequence) =>
        sequence.leasedTo === null ? [] : [[labelsOf(sequence), Number(sequence.leasedTo)] as const],
      ),
  },
  {
    type: 'gauge',
    name: 'seqsvr_sequences_in_memory',
    help: 'Named sequences in memory.',
    labelNames: [],
    samples: ({ sequencesHeld }) => [[{}, sequencesHeld]],
  },
  {
    type: 'gauge',
    name: 'seqsvr_connections',
    help: 'Connections open now, by front.',
    labelNames: ['front'],
    samples: ofFronts(({ name, connections }) =>
      connections === null ? [] : [[{ front: name }, connections]],
    ),
  },
  {
    type: 'counter',
    name: 'seqsvr_connections_refused_total',
    help: 'Connections closed as they came, since connections_max were open, by front.',
    labelNames: ['front'],
    samples: ofFronts(({ name, connectionsRefused }) =>
      connectionsRefused === null ? [] : [[{ front: name }, connectionsRefused]],
    ),
  },
  {
    type: 'counter',
    name: 'seqsvr_datagrams_received_total',
    help: 'UDP datagrams that came.',
    labelNames: [],
    samples: ofFronts(({ datagrams }) => (datagrams === null ? [] : [[{}, datagrams.received]])),
  },
  {
    type: 'counter',
    name: 'seqsvr_datagrams_dropped_total',
    help: 'UDP datagrams left without an answer: from outside the allowed networks, or no request at all.',
    labelNames: [],
    samples: ofFronts(({ datagrams }) => (datagrams === null ? [] : [[{}, datagrams.dropped]])),
  },
  {
    type: 'counter',
    name: 'seqsvr_datagrams_refused_total',
    help: 'UDP datagrams answered with an error before any rule was asked: too long, too many at once, or at shutdown.',
    labelNames: [],
    samples: ofFronts(({ datagrams }) => (datagrams === null ? [] : [[{}, datagrams.refused]])),
  },
  {
    type: 'counter',
    name: 'seqsvr_script_seconds_total',
    help: "Time that a rule's script took, with the way to its thread and back.",
    labelNames: ['rule'],
    samples: ({ scripts }) => scripts.map(({ rule, busyMs }) => [{ rule }, busyMs / 1000]),
  },
  {
    type: 'gauge',
    name: 'seqsvr_script_waiting',
    help: "Ids that wait for a rule's script, or are being made by it.",
    labelNames: ['rule'],
    samples: ({ scripts }) => scripts.map(({ rule, waiting }) => [{ rule }, waiting]),
  },
  {
    type: 'counter',
    name: 'seqsvr_script_kills_total',
    help: "How often the thread of a rule's script was ended, for taking too long or too much memory.",
    labelNames: ['rule'],
    samples: ({ scripts }) => scripts.map(({ rule, kills }) => [{ rule }, kills]),
  },
]

function ofFronts(samplesOf: (front: FrontStatus) => readonly Sample[]): StatusMetric['samples'] {
  return ({ fronts }) => fronts.flatMap(samplesOf)
}

/** One sample for each sequence that is shown, and one for all others together. */
function ofSequences(
  figureOf: (sequence: Pick<SequenceStatus, 'issued' | 'left' | 'waiting'>) => number,
): StatusMetric['samples'] {
  return ({ sequences, others }) => [
    ...sequences.map((sequence) => [labelsOf(sequence), figureOf(sequence)] as const),
    [OTHERS, figureOf(others)],
  ]
}

function labelsOf({ name }: SequenceStatus): Labels {
  return name === null ? { kind: 'generator', sequence: 'generator' } : { kind: 'named', sequence: name }
}

function runwaySeconds({ left, idsPerSecond }: SequenceStatus): number {
  const recent = idsPerSecond.slice(-RATE_SECONDS_SHORT)
  const issued = recent.reduce((sum, ids) => sum + ids, 0)
  return issued === 0 ? Number.POSITIVE_INFINITY : (left * recent.length) / issued
}
