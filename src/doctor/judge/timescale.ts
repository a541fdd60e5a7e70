/** TimescaleDB's background jobs: what compresses, and what keeps the weeks. */
import { inTime } from '../../domain/quantities.ts';
import { critical, info, ok, warning } from './finding.ts';
import type { Draft } from './finding.ts';
import type { TimescaleJob } from './evidence-store.ts';
import { need } from './judge.ts';

const JOBS = 'TimescaleDB’s jobs';
/** So long may a job be late before it is the workers that are missing, not a turn. */
const LATE_MS = 3_600_000;
const STALE_MS = 86_400_000;

export const timescaleJobs = need(['storeJobs'], JOBS, ({ storeJobs: jobs }) => {
  if (jobs === null) return [ok(JOBS, 'the schema is of the plain build: there are none')];
  const drafts = jobs.flatMap(jobOf);
  return drafts.length > 0
    ? drafts
    : [ok(JOBS, `${jobs.length} jobs, none fails or is late`, { jobs: jobs.length })];
});

function jobOf(job: TimescaleJob): readonly Draft[] {
  const subject = `job ${job.id}, ${job.procedure} of ${job.relation}`;
  const measured = {
    runs: job.runs,
    failures: job.failures,
    lastSucceeded: job.lastSucceeded,
    lastSuccessMs: job.lastSuccessMs === null ? null : Math.round(job.lastSuccessMs),
    nextInMs: job.nextInMs === null ? null : Math.round(job.nextInMs),
  };
  const consequence = 'Old rows stay uncompressed and the disk fills, or weeks show what rows no longer say.';
  if (!job.scheduled) {
    const mend = `SELECT alter_job(${job.id}, scheduled => true);`;
    return [warning({ subject, evidence: 'it is switched off', measured, consequence, mend })];
  }
  if (job.lastSucceeded === false) {
    const success =
      job.lastSuccessMs === null
        ? 'it never succeeded'
        : `it last succeeded ${inTime(job.lastSuccessMs)} ago`;
    const about = {
      subject,
      evidence: `its last run failed, ${job.failures} of ${job.runs} did, ${success}${job.error === null ? '' : `: ${job.error}`}`,
      measured,
      consequence,
      mend: `Mend what the error names, then CALL run_job(${job.id});`,
    };
    return [job.lastSuccessMs === null || job.lastSuccessMs >= STALE_MS ? critical(about) : warning(about)];
  }
  if (job.nextInMs === null || job.nextInMs > -LATE_MS) return [];
  return [
    warning({
      subject,
      evidence: `it should have run ${inTime(-job.nextInMs)} ago`,
      measured,
      consequence: `No worker runs it. ${consequence}`,
      mend: 'Raise timescaledb.max_background_workers and max_worker_processes, and restart the state store.',
    }),
  ];
}

const POLICIES = [
  ['policy_compression', 'daily_state', "add_compression_policy('daily_state', interval '30 days')"],
  ['policy_compression', 'reading', "add_compression_policy('reading', interval '30 days')"],
  [
    'policy_refresh_continuous_aggregate',
    'assignment_week_live',
    "add_continuous_aggregate_policy('assignment_week_live', start_offset => NULL, end_offset => interval '14 days', schedule_interval => interval '10 minutes')",
  ],
] as const;

export const timescalePolicies = need(['storeJobs'], JOBS, ({ storeJobs: jobs }, { store }) => {
  if (jobs === null) return [ok(JOBS, 'the schema is of the plain build: there are none')];
  const missing = POLICIES.filter(
    ([procedure, relation]) => !jobs.some((job) => job.procedure === procedure && job.relation === relation),
  );
  if (missing.length === 0) return [ok(JOBS, 'compression and refresh are scheduled')];
  return missing.map(([procedure, relation, statement]) =>
    (procedure === 'policy_compression' ? info : warning)({
      subject: `${store.schema}.${relation}`,
      evidence: `it has no ${procedure}`,
      consequence:
        procedure === 'policy_compression'
          ? 'Old rows stay uncompressed: the disk fills up to twenty times as fast.'
          : 'Weeks are computed from all rows at every read: slower by the month.',
      mend: `SET search_path TO ${store.schema}, public; SELECT ${statement};`,
    }),
  );
});
