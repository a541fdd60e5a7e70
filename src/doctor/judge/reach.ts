/** Whether each part answers at all. */
import { inTime } from '../../domain/quantities.ts';
import { critical, ok, warning } from './finding.ts';
import type { Draft } from './finding.ts';
import { need, together } from './judge.ts';
import type { Judge } from './judge.ts';
import type { ProbeName } from './evidence.ts';

interface Target {
  readonly subject: string;
  readonly probe: Extract<
    ProbeName,
    'sourceServer' | 'storeServer' | 'connectServer' | 'kafkaCluster' | 'registryServer'
  >;
  readonly consequence: string;
  /** Out of reach from here it may still be in reach of who needs it. */
  readonly needed: boolean;
}

const TARGETS: readonly Target[] = [
  {
    subject: 'the source',
    probe: 'sourceServer',
    consequence: 'Nobody sees from here whether its slot holds WAL back; Connect may still reach it.',
    needed: false,
  },
  {
    subject: 'Kafka Connect',
    probe: 'connectServer',
    consequence: 'Nothing is captured, or nobody can tell; WAL grows in the source.',
    needed: true,
  },
  {
    subject: 'Kafka',
    probe: 'kafkaCluster',
    consequence: 'Everything stands still until it answers.',
    needed: true,
  },
  {
    subject: 'the schema registry',
    probe: 'registryServer',
    consequence:
      'A process that starts, or meets a new schema, waits; a new column fails the connector’s task.',
    needed: true,
  },
  {
    subject: 'the state store',
    probe: 'storeServer',
    consequence: 'Everything stands still until it answers.',
    needed: true,
  },
];

export const reach: Judge = {
  needs: TARGETS.map(({ probe }) => probe),
  judge: (looks) =>
    TARGETS.map(({ subject, probe, consequence, needed }): Draft => {
      const look = looks[probe];
      if (look?.seen === true) {
        const { tookMs } = look.value;
        return ok(subject, `answers in ${inTime(tookMs)}`, { tookMs: Math.round(tookMs) });
      }
      const about = {
        subject,
        evidence: look?.why ?? 'it was not looked at',
        consequence,
        mend: look?.mend ?? 'Run `anchorline doctor` again.',
      };
      return needed ? critical(about) : warning(about);
    }),
};

/** Two clusters under two names make a pipeline that never carries anything. */
export const sameCluster = together(
  need(['connectServer', 'kafkaCluster'], 'cluster', ({ connectServer, kafkaCluster }) => {
    const measured = { connect: connectServer.clusterId, kafka: kafkaCluster.clusterId };
    if (connectServer.clusterId === null || connectServer.clusterId === kafkaCluster.clusterId) {
      return [ok('cluster', `Connect and Anchorline speak to the same one`, measured)];
    }
    return [
      critical({
        subject: 'cluster',
        evidence: `Connect writes to cluster ${connectServer.clusterId}, kafka.brokers are of ${kafkaCluster.clusterId}`,
        measured,
        consequence: 'What is captured goes where nobody reads it.',
        mend: 'Set kafka.brokers, or Connect’s bootstrap.servers, to the same cluster.',
      }),
    ];
  }),
);
