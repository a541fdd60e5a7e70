/** How far ingest has read, against what the topics still hold. */
import { inTime } from '../../domain/quantities.ts';
import { critical, ok, some, warning } from './finding.ts';
import type { Draft } from './finding.ts';
import type { PartitionPosition } from './evidence-kafka.ts';
import { need } from './judge.ts';

const POSITIONS = 'positions';
const at = ({ topic, partition }: PartitionPosition): string => `${topic}/${partition}`;

export const positions = need(['kafkaPositions'], POSITIONS, ({ kafkaPositions: all }) => {
  // Position 0, and none, mean "never read": then nothing that was removed before was ours to read.
  const removed = all.filter(({ next, low }) => next !== null && next !== 0n && next < low);
  const beyond = all.filter(({ next, high }) => next !== null && next > high);
  const drafts: Draft[] = [];
  if (removed.length > 0) {
    drafts.push(
      critical({
        subject: POSITIONS,
        evidence: `records not read yet are gone from ${some(removed.map((one) => `${at(one)} (at ${one.next}, the log begins at ${one.low})`))}`,
        measured: { partitions: removed.length },
        consequence:
          'Ingest of these partitions stands still (KAF003): what was in the removed records is missed.',
        mend: `Run \`anchorline topics apply\` so that they are compacted, then \`${resnapshot(removed)}\`.`,
      }),
    );
  }
  if (beyond.length > 0) {
    drafts.push(
      critical({
        subject: POSITIONS,
        evidence: `the log ends before the position in ${some(beyond.map((one) => `${at(one)} (at ${one.next}, the log ends at ${one.high})`))}`,
        measured: { partitions: beyond.length },
        consequence:
          'Ingest of these partitions stands still (KAF002): the topic was made anew or lost its end.',
        mend: resnapshot(beyond),
      }),
    );
  }
  return drafts.length > 0
    ? drafts
    : [ok(POSITIONS, `${all.length} partitions, each within its log`, { partitions: all.length })];
});

export const retention = need(['kafkaPositions'], 'retention', ({ kafkaPositions: all }) => {
  const missed = all.filter(({ unread, doubt }) => doubt || unread?.retention === true);
  const soon = all.filter((one) => one.unread?.halfRetention === true && !missed.includes(one));
  const drafts: Draft[] = [];
  if (missed.length > 0) {
    drafts.push(
      critical({
        subject: 'retention',
        evidence: `unread for longer than deletes are kept (${kept(missed)}): ${some(missed.map(at))}`,
        measured: { partitions: missed.length },
        consequence: 'Deletes among what was unread may be gone (KAF005): their rows stay facts, silently.',
        mend: resnapshot(missed),
      }),
    );
  }
  if (soon.length > 0) {
    drafts.push(
      warning({
        subject: 'retention',
        evidence: `unread for more than half of the time that deletes are kept (${kept(soon)}): ${some(soon.map(at))}`,
        measured: { partitions: soon.length },
        consequence: 'Once that time is over, deletes are missed, silently.',
        mend: 'Start the processes with the role ingest (`anchorline run`) and let them read to the end.',
      }),
    );
  }
  if (drafts.length > 0) return drafts;
  return [ok('retention', 'nothing has been unread for half of the time that deletes are kept')];
});

/** The command that makes up for what was missed of these. */
function resnapshot(missed: readonly PartitionPosition[]): string {
  const tables = new Set(missed.map(({ table }) => table));
  return ['anchorline resnapshot', ...[...tables].map((table) => `--table ${table}`)].join(' ');
}

function kept(partitions: readonly PartitionPosition[]): string {
  const times = partitions.flatMap(({ retentionMs }) => retentionMs ?? []);
  return times.length === 0 ? 'for ever' : inTime(Math.min(...times));
}

export const ingestLag = need(['kafkaPositions'], 'ingest', ({ kafkaPositions: all }, { limits }) => {
  const unread = all.reduce((sum, { next, low, high }) => sum + Number(high - (next ?? low)), 0);
  const late = all.filter((one) => one.unread?.away === true);
  const longLate = late.filter((one) => one.unread?.longAway === true);
  const measured = { unread, partitions: late.length };
  if (late.length === 0) {
    return [
      ok('ingest', `${unread} records unread, none for longer than ${inTime(limits.awayMs)}`, measured),
    ];
  }
  const about = {
    subject: 'ingest',
    evidence: `${unread} records unread, some for longer than ${inTime(limits.awayMs)}: ${some(late.map(at))}`,
    measured,
    consequence: 'Daily states do not show what happened since.',
    mend: 'See that a process with the role ingest runs (`anchorline run`), and what its log and /readyz say.',
  };
  return [longLate.length > 0 ? critical(about) : warning(about)];
});
