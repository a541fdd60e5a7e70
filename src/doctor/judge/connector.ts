/** The connector as it is deployed: its state, and what its configuration leaves open. */
import { inBytes, inTime } from '../../domain/quantities.ts';
import { critical, graded, levelOf, ok, some, unknown, warning } from './finding.ts';
import type { Draft } from './finding.ts';
import type { ConnectMetrics, ConnectorTask, ConnectorTasks } from './evidence-connect.ts';
import type { Context } from './context.ts';
import { need, together } from './judge.ts';
import type { Judge, Looks } from './judge.ts';

const connectorName = ({ connect }: Context): string => `connector ${connect.connector}`;

const NOTHING_CAPTURED =
  'Nothing is captured, and WAL grows in the source until its disk is full or the slot is lost.';
const APPLY = 'Run `anchorline connectors apply`.';

export const tasks = need(['connectTasks'], connectorName, ({ connectTasks: found }, context) => {
  const subject = connectorName(context);
  if (found === null) {
    return [
      critical({
        subject,
        evidence: 'Connect has no connector of this name',
        measured: { exists: false },
        consequence: 'Nothing is captured.',
        mend: APPLY,
      }),
    ];
  }
  const parts = [
    stateOf(subject, found, context),
    ...found.tasks.map((task) => stateOf(`${subject}, task ${task.id}`, task, context)),
  ];
  if (found.tasks.length > 0 || found.state !== 'RUNNING') return parts;
  return [
    ...parts,
    critical({
      subject,
      evidence: 'it runs, but has no task',
      measured: { tasks: 0 },
      consequence: NOTHING_CAPTURED,
      mend: APPLY,
    }),
  ];
});

function stateOf(
  subject: string,
  { state, worker, trace }: ConnectorTasks | ConnectorTask,
  { connect }: Context,
): Draft {
  const measured = { state, worker, trace: trace.join('\n') || null };
  if (state === 'RUNNING') return ok(subject, `runs on ${worker}`, measured);
  const evidence =
    trace.length === 0 ? `${state} on ${worker}` : `${state} on ${worker}: ${trace.join(' | ')}`;
  if (state === 'FAILED') {
    const again = connect.supervised
      ? 'The scheduler starts it again; while the cause stays, it fails again.'
      : 'Nobody starts it again (connect.superviseMs is 0).';
    return critical({
      subject,
      evidence,
      measured,
      consequence: `${NOTHING_CAPTURED} ${again}`,
      mend: 'Mend what the trace names (`anchorline connectors status` may know how), then `anchorline connectors restart --failed-only`.',
    });
  }
  return warning({
    subject,
    evidence,
    measured,
    consequence: NOTHING_CAPTURED,
    mend:
      state === 'PAUSED' || state === 'STOPPED'
        ? 'anchorline connectors restart'
        : 'Look again in a minute: Connect is moving it.',
  });
}

export const connectorDrift = need(['connectConfig'], connectorName, ({ connectConfig }, context) => {
  const { deployed, differences: differing } = connectConfig;
  if (deployed === null) return [];
  const subject = connectorName(context);
  if (differing.length === 0) return [ok(subject, 'deployed as connectors/ and the settings make it')];
  return [
    warning({
      subject,
      evidence: `${differing.length} keys differ from connectors/: ${some(differing)}`,
      measured: { differing: differing.length },
      consequence: 'It does not do what the files say; the next `connectors apply` changes it.',
      mend: 'Put what is wanted into connectors/farm-postgres.yaml, then run `anchorline connectors apply`.',
    }),
  ];
});

export const offsetMismatch = need(
  ['connectConfig'],
  connectorName,
  ({ connectConfig: { deployed } }, context) => {
    if (deployed === null) return [];
    const strategy = deployed['offset.mismatch.strategy'] ?? 'no_validation';
    const subject = connectorName(context);
    if (strategy === 'trust_offset')
      return [ok(subject, 'offset.mismatch.strategy is trust_offset', { strategy })];
    return [
      warning({
        subject,
        evidence: `offset.mismatch.strategy is ${strategy}`,
        measured: { strategy },
        consequence:
          'When the slot is made anew, or the source restored, the connector goes on past the gap: what changed in ' +
          'between is lost, silently.',
        mend: 'Set offset.mismatch.strategy: trust_offset in connectors/, then run `anchorline connectors apply`.',
      }),
    ];
  },
);

const configuredHeartbeat = need(
  ['connectConfig'],
  connectorName,
  ({ connectConfig: { deployed } }, context) => {
    if (deployed === null) return [];
    const subject = connectorName(context);
    const intervalMs = Number(deployed['heartbeat.interval.ms'] ?? 0);
    const action = deployed['heartbeat.action.query'] ?? '';
    const measured = { intervalMs, action: action !== '' };
    const problem =
      intervalMs <= 0
        ? 'heartbeats are off (heartbeat.interval.ms)'
        : !action.includes(context.source.heartbeatTable)
          ? `heartbeat.action.query does not write ${context.source.heartbeatTable}`
          : null;
    if (problem === null) return [ok(subject, `beats every ${inTime(intervalMs)}`, measured)];
    return [
      critical({
        subject,
        evidence: problem,
        measured,
        consequence:
          'While the captured tables are quiet, or only others are written, the slot stands still and WAL grows.',
        mend: APPLY,
      }),
    ];
  },
);

const beating = need(
  ['sourceHeartbeat'],
  ({ source }) => source.heartbeatTable,
  ({ sourceHeartbeat: { heartbeat, beatAgeMs } }, context) => {
    const subject = context.source.heartbeatTable;
    const limitMs = context.connect.heartbeatMs * context.limits.heartbeatsMissed;
    if (!heartbeat || beatAgeMs === null) {
      return [
        critical({
          subject,
          evidence: heartbeat ? 'it has never been written' : 'the table is not there',
          measured: { exists: heartbeat, beatAgeMs },
          consequence: 'The slot stands still while the captured tables are quiet, and WAL grows.',
          mend: `${APPLY} Then look at \`anchorline connectors status\`.`,
        }),
      ];
    }
    return [
      graded(levelOf(beatAgeMs, limitMs), {
        subject,
        evidence: `the last beat is ${inTime(beatAgeMs)} old, one is due every ${inTime(context.connect.heartbeatMs)}`,
        measured: { beatAgeMs: Math.round(beatAgeMs), heartbeatMs: context.connect.heartbeatMs },
        consequence: 'The connector does not get to its work: rows come late or not at all, and WAL grows.',
        mend: 'Look at `anchorline connectors status`; `anchorline connectors restart` if the task stands still.',
      }),
    ];
  },
);

export const heartbeat: Judge = together(configuredHeartbeat, beating);

const configuredSignal = need(
  ['connectConfig'],
  connectorName,
  ({ connectConfig: { deployed } }, context) => {
    if (deployed === null) return [];
    const subject = connectorName(context);
    const collection = deployed['signal.data.collection'] ?? '';
    const channels = (deployed['signal.enabled.channels'] ?? 'source').split(',').map((name) => name.trim());
    const listens = collection === context.source.signalTable && channels.includes('source');
    if (listens) return [ok(subject, `listens to ${collection}`, { collection })];
    return [
      warning({
        subject,
        evidence: `it listens to ${collection === '' ? 'no table' : collection} over ${channels.join(', ')}`,
        measured: { collection, channels: channels.join(',') },
        consequence: 'A snapshot that is asked for never begins: what was missed cannot be repaired.',
        mend: APPLY,
      }),
    ];
  },
);

const signalTable = need(
  ['sourceHeartbeat'],
  ({ source }) => source.signalTable,
  ({ sourceHeartbeat }, { source }) => [
    sourceHeartbeat.signal
      ? ok(source.signalTable, 'the table is there')
      : warning({
          subject: source.signalTable,
          evidence: 'the table is not there',
          consequence: 'No snapshot can be asked for: what was missed cannot be repaired.',
          mend: APPLY,
        }),
  ],
);

export const signal: Judge = together(configuredSignal, signalTable);

const QUEUE = 'the connector’s queue';

const measuredQueue = need(['connectMetrics'], QUEUE, ({ connectMetrics }, context) => [
  queueOf(connectMetrics, context),
]);

/** The queue is to be seen over JMX alone; without an exporter in front the slot is the next best witness. */
export const queueFill: Judge = {
  needs: ['connectMetrics', 'sourceSlot'],
  judge(looks, context) {
    if (context.connect.metricsSet) return measuredQueue.judge(looks, context);
    return [
      unknown({
        subject: QUEUE,
        evidence: `Connect’s REST API does not tell how full it is; ${slotSays(looks)}`,
        consequence:
          'A full queue holds the capture up: rows come late. It is seen here only once the slot lags.',
        mend: 'Run Connect with the JMX exporter and set connect.metricsUrl to where it serves.',
      }),
    ];
  },
};

function slotSays({ sourceSlot: look }: Looks): string {
  const second = look?.seen === true ? look.value.second : null;
  if (second?.lagBytes == null) return 'nor does the slot';
  const first = look?.seen === true ? look.value.first : null;
  const grown = second.lagBytes - (first?.lagBytes ?? second.lagBytes);
  const moves = grown > 0 ? `growing by ${inBytes(grown)} between two looks` : 'not growing';
  return `the slot is ${inBytes(second.lagBytes)} behind, ${moves}`;
}

function queueOf(
  { queueTotal, queueRemaining, behindSourceMs }: ConnectMetrics,
  { connect, limits }: Context,
): Draft {
  const subject = QUEUE;
  if (queueTotal === null || queueRemaining === null || queueTotal <= 0) {
    return unknown({
      subject,
      evidence: `connect.metricsUrl answers, but not with the queue’s capacity for ${connect.prefix}`,
      consequence: 'A full queue holds the capture up: rows come late.',
      mend: 'Let the exporter pass debezium_metrics_QueueTotalCapacity and debezium_metrics_QueueRemainingCapacity.',
    });
  }
  const percent = Math.round(100 * (1 - queueRemaining / queueTotal));
  // Half of what is left over above the limit.
  const severe = percent >= (100 + limits.queuePercent) / 2;
  return graded(percent < limits.queuePercent ? 'ok' : severe ? 'critical' : 'warning', {
    subject,
    evidence:
      `${percent} % full (${queueTotal - queueRemaining} of ${queueTotal})` +
      (behindSourceMs === null ? '' : `, ${inTime(behindSourceMs)} behind the source`),
    measured: { percent, queueTotal, queueRemaining, behindSourceMs },
    consequence: 'Kafka takes records more slowly than the source sends them: rows come late, and WAL grows.',
    mend: 'Look at the brokers and at Connect’s producer; raise max.queue.size only if they have room.',
  });
}
