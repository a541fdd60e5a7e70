/** Connect, the connector and the clocks made ill, one thing at a time. */
import type { Evidence } from '../../src/doctor/judge/evidence.ts';
import type { Case } from '../support/doctor-evidence.ts';

const deployed = (fields: Readonly<Record<string, string>>) => ({
  connectConfig: (well: Evidence['connectConfig']) => ({
    ...well,
    deployed: { ...well.deployed, ...fields },
  }),
});

const FAILED = { state: 'FAILED', trace: ['ConnectException: no', 'Caused by: permission denied'] };

export const CONNECT_CASES: readonly Case[] = [
  {
    what: 'parts that do not answer',
    check: 'reach',
    changes: {
      unseen: ['sourceServer', 'connectServer', 'kafkaCluster', 'registryServer', 'storeServer'],
    },
    finds: [
      /^warning the source: sourceServer failed/,
      /^critical Kafka Connect: connectServer failed/,
      /^critical Kafka: /,
      /^critical the schema registry: /,
      /^critical the state store: /,
    ],
    mend: /mend sourceServer/,
  },
  {
    what: 'two clusters',
    check: 'same-cluster',
    changes: { connectServer: { clusterId: 'c2' } },
    finds: [/^critical cluster: Connect writes to cluster c2, kafka\.brokers are of c1/],
  },
  {
    what: 'a Connect that does not tell its cluster',
    check: 'same-cluster',
    changes: { connectServer: { clusterId: null } },
    finds: [],
  },

  {
    what: 'clocks that are seconds apart',
    check: 'clock',
    changes: {
      sourceServer: { clock: { aheadMs: -4_000, uncertainMs: 10 } },
      storeServer: { clock: { aheadMs: 60_000, uncertainMs: 10 } },
    },
    finds: [/^warning the source’s clock: 4 s behind/, /^critical the state store’s clock: 60 s ahead/],
    mend: /chrony/,
  },
  {
    what: 'a difference within what the answer leaves open',
    check: 'clock',
    changes: { connectServer: { clock: { aheadMs: 2_400, uncertainMs: 500 } } },
    finds: [],
  },
  {
    what: 'a broker whose stamp is half a minute off the connector’s time',
    check: 'clock',
    changes: { kafkaBeat: { recordMs: 1_030_000 } },
    finds: [/^critical the brokers’ clock: 30 s ahead/],
  },
  {
    what: 'a heartbeat that the broker did not stamp',
    check: 'clock',
    changes: { kafkaBeat: { stampedByBroker: false } },
    finds: [/^unknown the brokers’ clock: .*not stamped/],
    mend: /topics apply/,
  },
  {
    what: 'no heartbeat yet',
    check: 'clock',
    changes: { kafkaBeat: () => null },
    finds: [/^unknown the brokers’ clock: .*no heartbeat/],
  },
  {
    what: 'answers without a date',
    check: 'clock',
    changes: { connectServer: { clock: null } },
    finds: [/^unknown Connect’s clock/, /^unknown the brokers’ clock: .*by way of Connect/],
  },
  {
    what: 'a source out of reach, which hides no other clock',
    check: 'clock',
    changes: {
      unseen: ['sourceServer'],
      storeServer: { clock: { aheadMs: 4_000, uncertainMs: 10 } },
    },
    finds: [/^unknown the source’s clock: sourceServer failed/, /^warning the state store’s clock/],
  },

  {
    what: 'no connector',
    check: 'tasks',
    changes: { connectTasks: () => null },
    finds: [/^critical connector anchorline-farm: Connect has no connector/],
  },
  {
    what: 'a failed task, with its trace',
    check: 'tasks',
    changes: {
      connectTasks: (well) => ({
        ...(well as NonNullable<typeof well>),
        tasks: [{ id: 0, worker: 'w', ...FAILED }],
      }),
    },
    finds: [/^critical connector anchorline-farm, task 0: FAILED on w: .*Caused by: permission denied/],
    breaks: /starts it again/,
  },
  {
    what: 'a failed connector that nobody restarts',
    check: 'tasks',
    changes: {
      connectTasks: { ...FAILED, tasks: [] },
      context: (well) => ({ ...well, connect: { ...well.connect, supervised: false } }),
    },
    finds: [/^critical connector anchorline-farm: FAILED/],
    breaks: /superviseMs is 0/,
  },
  {
    what: 'a paused connector',
    check: 'tasks',
    changes: { connectTasks: { state: 'PAUSED' } },
    finds: [/^warning connector anchorline-farm: PAUSED/],
  },
  {
    what: 'a task under way to another worker',
    check: 'tasks',
    changes: { connectTasks: { tasks: [{ id: 0, state: 'UNASSIGNED', worker: 'w', trace: [] }] } },
    finds: [/^warning .*task 0: UNASSIGNED/],
  },
  {
    what: 'a connector without task',
    check: 'tasks',
    changes: { connectTasks: { tasks: [] } },
    finds: [/^critical connector anchorline-farm: it runs, but has no task/],
  },

  {
    what: 'a deployed configuration that differs',
    check: 'connector-drift',
    changes: {
      connectConfig: { differences: ['~ database.password: *** → ***', '~ poll.interval.ms: 1 → 10'] },
    },
    finds: [/^warning connector anchorline-farm: 2 keys differ .*~ poll\.interval\.ms: 1 → 10/],
    mend: /connectors apply/,
  },

  {
    what: 'no heartbeat configured',
    check: 'heartbeat',
    changes: deployed({ 'heartbeat.interval.ms': '0' }),
    finds: [/^critical connector anchorline-farm: heartbeats are off/],
  },
  {
    what: 'no action query',
    check: 'heartbeat',
    changes: deployed({ 'heartbeat.action.query': '' }),
    finds: [/^critical .*action\.query does not write anchorline\.heartbeat/],
  },
  {
    what: 'a heartbeat that was missed thrice',
    check: 'heartbeat',
    changes: { sourceHeartbeat: { beatAgeMs: 30_000 } },
    finds: [/^warning anchorline\.heartbeat: the last beat is 30 s old/],
  },
  {
    what: 'a heartbeat that was missed thirty times',
    check: 'heartbeat',
    changes: { sourceHeartbeat: { beatAgeMs: 300_000 } },
    finds: [/^critical anchorline\.heartbeat: the last beat is 5 min old/],
  },
  {
    what: 'no beat ever',
    check: 'heartbeat',
    changes: { sourceHeartbeat: { beatAgeMs: null } },
    finds: [/^critical .*never been written/],
  },
  {
    what: 'no heartbeat table',
    check: 'heartbeat',
    changes: { sourceHeartbeat: { heartbeat: false, beatAgeMs: null } },
    finds: [/^critical .*the table is not there/],
  },
  {
    what: 'a Connect out of reach, which does not hide the beat’s age',
    check: 'heartbeat',
    changes: { unseen: ['connectConfig'], sourceHeartbeat: { beatAgeMs: 60_000 } },
    finds: [/^unknown connector anchorline-farm/, /^warning anchorline\.heartbeat/],
  },

  {
    what: 'a connector that hears no signal',
    check: 'signal',
    changes: deployed({ 'signal.data.collection': '', 'signal.enabled.channels': 'kafka' }),
    finds: [/^warning connector anchorline-farm: it listens to no table over kafka/],
  },
  {
    what: 'no signal table',
    check: 'signal',
    changes: { sourceHeartbeat: { signal: false } },
    finds: [/^warning anchorline\.signal: the table is not there/],
  },

  {
    what: 'an offset that is not validated, by default',
    check: 'offset-mismatch',
    changes: {
      connectConfig: (well) => ({ ...well, deployed: { 'heartbeat.interval.ms': '1' } }),
    },
    finds: [/^warning .*no_validation/],
    breaks: /silently/,
  },
  {
    what: 'an offset that follows the slot',
    check: 'offset-mismatch',
    changes: deployed({ 'offset.mismatch.strategy': 'trust_greater_lsn' }),
    finds: [/^warning .*trust_greater_lsn/],
  },

  {
    what: 'a queue that fills',
    check: 'queue-fill',
    changes: { connectMetrics: { queueRemaining: 3_000 } },
    finds: [/^warning the connector’s queue: 82 % full/],
  },
  {
    what: 'a queue that is full',
    check: 'queue-fill',
    changes: { connectMetrics: { queueRemaining: 100 } },
    finds: [/^critical .*99 % full/],
  },
  {
    what: 'metrics without the queue’s',
    check: 'queue-fill',
    changes: { connectMetrics: { queueTotal: null } },
    finds: [/^unknown .*not with the queue/],
  },
  {
    what: 'no metrics, the slot standing in',
    check: 'queue-fill',
    changes: { context: (well) => ({ ...well, connect: { ...well.connect, metricsSet: false } }) },
    finds: [/^unknown .*the slot is 1000 B behind, not growing/],
    mend: /connect\.metricsUrl/,
  },
  {
    what: 'no metrics, and no slot either',
    check: 'queue-fill',
    changes: {
      unseen: ['sourceSlot'],
      context: (well) => ({ ...well, connect: { ...well.connect, metricsSet: false } }),
    },
    finds: [/^unknown .*nor does the slot/],
  },
];
