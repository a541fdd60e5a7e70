/** Who takes part in the work. */
import { critical, info, ok } from './finding.ts';
import { need } from './judge.ts';

const DOES = {
  ingest: 'No change of the farm is ingested: daily states stand still.',
  recompute: 'What changes is not computed: daily states stand still.',
} as const;

export const consumerGroups = need(['kafkaGroups'], 'consumer groups', ({ kafkaGroups }) =>
  kafkaGroups.map(({ role, group, state, members, partitions, lag }) => {
    const measured = { state, members, partitions, lag };
    const behind = lag === null ? 'no offset committed' : `${lag} records behind`;
    const subject = `group ${group}`;
    if (members === 0) {
      return critical({
        subject,
        evidence: `no member (${state}), ${behind}`,
        measured,
        consequence: DOES[role],
        mend: `anchorline run --roles ${role}`,
      });
    }
    const evidence = `members: ${members}, partitions: ${partitions}, ${state}, ${behind}`;
    if (state !== 'Stable') {
      return info({
        subject,
        evidence,
        measured,
        consequence: 'Partitions change hands: nothing is read for the moment.',
        mend: 'Look again in a minute; if it goes on, a process comes and goes: look at the logs.',
      });
    }
    if (members <= partitions) return ok(subject, evidence, measured);
    return info({
      subject,
      evidence,
      measured,
      consequence: `${members - partitions} members have nothing to do but to stand by.`,
      mend: 'Nothing, if they are there to take over.',
    });
  }),
);
