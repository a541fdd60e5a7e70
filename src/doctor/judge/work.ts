/** The work that waits in the state store, and who leads it. */
import { dayToIso } from '../../domain/day.ts';
import { inTime } from '../../domain/quantities.ts';
import { critical, graded, info, levelOf, ok, some, warning } from './finding.ts';
import type { Draft } from './finding.ts';
import type { Lease } from './evidence-store.ts';
import type { Context, LeaseExpectation } from './context.ts';
import { need } from './judge.ts';

export const dirt = need(['storeWork'], 'dirt', ({ storeWork: work }, { limits }) => {
  const ageMs = work.dirtOldestMs ?? 0;
  const about = {
    subject: 'dirt',
    evidence:
      `${work.dirtAssignments} assignments wait, the oldest for ${inTime(ageMs)}; ` +
      `${work.later.dirtAssignments} wait ${inTime(work.later.elapsedMs)} later`,
    measured: {
      assignments: work.dirtAssignments,
      oldestMs: work.dirtOldestMs,
      later: work.later.dirtAssignments,
      snapshotRunning: work.snapshotRunning,
    },
    consequence: 'Their daily states do not show the farm’s last changes.',
    mend: 'See that a process with the role recompute runs (`anchorline run`), and what its log says.',
  };
  const level = levelOf(ageMs, limits.dirtMs);
  if (level !== 'ok' && work.snapshotRunning) {
    return [
      info({
        ...about,
        consequence: 'A snapshot streams in: recompute waits for its end.',
        mend: 'Wait for it.',
      }),
    ];
  }
  return [graded(level, about)];
});

export const parked = need(
  ['storeWork'],
  'parked assignments',
  ({ storeWork: { parked: all, setAside } }) => {
    if (all.length === 0) return [ok('parked assignments', 'none', { parked: 0 })];
    const told = all.map(({ assignmentId, code, message }) => `${assignmentId} (${code}: ${message})`);
    return [
      warning({
        subject: 'parked assignments',
        evidence: `${all.length}, with ${setAside} changes set aside: ${some(told)}`,
        measured: { parked: all.length, setAside },
        consequence:
          'Their daily states stay as they were until new data comes for them or they are tried again.',
        mend: 'anchorline retry --all',
      }),
    ];
  },
);

export const deadLetters = need(['storeWork'], 'dead letters', ({ storeWork }, { limits }) => {
  const letters = storeWork.deadLetters;
  const open = letters.reduce((sum, { count }) => sum + count, 0);
  if (open === 0) return [ok('dead letters', 'none is open', { open })];
  const told = letters.map(({ code, count, message }) => `${count} × ${code}, e.g. ${message}`);
  const about = {
    subject: 'dead letters',
    evidence: `${open} are open: ${some(told)}`,
    measured: { open, ...Object.fromEntries(letters.map(({ code, count }) => [code, count])) },
    consequence: 'What these records say is in no daily state.',
    mend: 'Look at `anchorline dead-letters list`, correct the rows in the source or mend the cause, then `anchorline dead-letters replay`.',
  };
  return [open >= limits.deadLetters ? critical(about) : warning(about)];
});

export const publicationBacklog = need(
  ['storeWork'],
  'publication log',
  ({ storeWork: work }, { limits }) => {
    const ageMs = work.publicationOldestMs ?? 0;
    return [
      graded(levelOf(ageMs, limits.backlogMs), {
        subject: 'publication log',
        evidence:
          `${work.publications} entries wait, the oldest for ${inTime(ageMs)}; ` +
          `${work.later.publications} wait ${inTime(work.later.elapsedMs)} later`,
        measured: {
          entries: work.publications,
          oldestMs: work.publicationOldestMs,
          later: work.later.publications,
        },
        consequence: 'Rows are in the state store, but their consumers do not get them.',
        mend: 'See that a process with the role publish runs (`anchorline run`), and that Kafka and the registry answer.',
      }),
    ];
  },
);

export const horizon = need(['storeWork'], 'horizon', ({ storeWork: { horizon: day } }, { store }) => {
  const { horizon: expected, horizonFixed } = store;
  const mend = 'See that a process with the role scheduler runs (`anchorline run`).';
  if (day === null) {
    return [
      critical({
        subject: 'horizon',
        evidence: 'it was never set',
        measured: { horizon: null },
        consequence: 'Nothing is computed until the scheduler has set it.',
        mend,
      }),
    ];
  }
  const behind = expected - day;
  return [
    graded(behind <= 0 ? 'ok' : behind === 1 ? 'warning' : 'critical', {
      subject: 'horizon',
      evidence:
        behind <= 0
          ? `${dayToIso(day)}${horizonFixed ? ', as scheduler.horizon says' : ''}`
          : `${dayToIso(day)}, ${behind} days behind ${dayToIso(expected)}`,
      measured: { horizon: dayToIso(day), expected: dayToIso(expected), behind: Math.max(0, behind) },
      consequence: 'The days after it have no daily state.',
      mend,
    }),
  ];
});

const RUN = 'resnapshot';

export const resnapshot = need(['storeResnapshot'], RUN, ({ storeResnapshot: run }) => {
  if (run === null) return [ok(RUN, 'there was none')];
  const { open, outcome, why, tables } = run;
  const measured = { open, outcome, tables: tables.length };
  const told = (state: string): readonly string[] =>
    tables
      .filter((one) => one.state === state)
      .map(({ table, note }) => `${table}${note === null ? '' : ` (${note})`}`);
  const [held, failed] = [told('held'), told('failed')];
  if (open && held.length > 0) {
    return [
      warning({
        subject: RUN,
        evidence: `${held.length} tables are held: ${some(held)}`,
        measured: { ...measured, held: held.length },
        consequence:
          'Facts whose rows the source no longer has stay until somebody decides; no other run can begin.',
        mend: 'Look at `anchorline resnapshot status`, then `anchorline resnapshot sweep --force` or `anchorline resnapshot cancel`.',
      }),
    ];
  }
  if (open) {
    return [
      info({
        subject: RUN,
        evidence: `one is under way, of ${tables.length} tables`,
        measured,
        consequence: 'What it makes up for is not whole yet.',
        mend: 'Wait for it: `anchorline resnapshot status`.',
      }),
    ];
  }
  if (outcome !== 'failed' && failed.length === 0)
    return [ok(RUN, `the last one ended: ${outcome}`, measured)];
  return [
    warning({
      subject: RUN,
      evidence: `the last one failed${why === null ? '' : `: ${why}`}${failed.length === 0 ? '' : `; ${some(failed)}`}`,
      measured: { ...measured, failed: failed.length },
      consequence: 'What it was to make up for is still missing.',
      mend: 'Mend what it names, then run `anchorline resnapshot` for these tables again.',
    }),
  ];
});

const LEADS: Readonly<
  Record<LeaseExpectation['role'], { consequence: string; role: string; severe: boolean }>
> = {
  publish: { consequence: 'Rows of its shard do not reach the topic.', role: 'publish', severe: true },
  scheduler: {
    consequence: 'The horizon does not move: tomorrow has no daily state.',
    role: 'scheduler',
    severe: false,
  },
  supervisor: { consequence: 'A connector that fails stays failed.', role: 'scheduler', severe: false },
};

export const leases = need(['storeLeases'], 'leases', ({ storeLeases }, { store }: Context) => {
  const byName = new Map(storeLeases.map((lease) => [lease.name, lease]));
  return store.leases.map((expected) => leaseOf(expected, byName.get(expected.name)));
});

function leaseOf({ name, role: kind }: LeaseExpectation, lease: Lease | undefined): Draft {
  const subject = `lease ${name}`;
  const measured = {
    owner: lease?.owner ?? null,
    leftMs: lease === undefined ? null : Math.round(lease.leftMs),
  };
  if (lease !== undefined && lease.leftMs > 0) return ok(subject, `held by ${lease.owner}`, measured);
  const { consequence, role, severe } = LEADS[kind];
  const about = {
    subject,
    evidence:
      lease === undefined ? 'nobody holds it' : `its last owner let it run out ${inTime(-lease.leftMs)} ago`,
    measured,
    consequence,
    mend: `anchorline run --roles ${role}`,
  };
  return severe ? critical(about) : warning(about);
}
