/** Validates the store some assignments at a time: memory stays small however many there are. */
import type { Day } from '../domain/day.ts';
import type { Id } from '../domain/facts.ts';
import * as codec from '../engine/row-codes.ts';
import type { StoreStatus } from '../store/status.ts';
import type { ValidationScope } from '../store/validation.ts';
import type { Bands } from '../validate/checks.ts';
import { lenient } from '../validate/codes.ts';
import { Report } from '../validate/report.ts';
import type { Subject } from '../validate/report.ts';
import { validate } from '../validate/validate.ts';
import { engineSettingsOf } from '../wiring.ts';
import type { StoreCommand } from './store.ts';

export interface ValidationOptions {
  readonly scope: ValidationScope;
  readonly since: Day | null;
  readonly deep: boolean;
  readonly bands: Bands;
  readonly limit: number;
  readonly progress: (line: string) => void;
}

/** Whole lives in memory at a time. */
const ASSIGNMENTS_AT_ONCE = 32;
/** Dirt is answered in seconds; in a minute or two where a snapshot's end lets everything be computed. */
const STALE_MS = 3_600_000;

export async function validateStore(
  { store, config }: StoreCommand,
  options: ValidationOptions,
): Promise<{ report: Report; context: StoreStatus }> {
  const report = new Report(options.limit);
  const settings = engineSettingsOf(config);
  const byBatch = await store.assignmentsByBatch(options.scope);
  const total = [...byBatch.values()].reduce((sum, ids) => sum + ids.length, 0);
  for (const [batchId, ids] of byBatch) {
    for (let from = 0; from < ids.length; from += ASSIGNMENTS_AT_ONCE) {
      const assignmentIds = ids.slice(from, from + ASSIGNMENTS_AT_ONCE);
      const { facts, waiting, anomalies } = await store.validationFacts(assignmentIds, lenient(codec));
      const { since, bands, deep } = options;
      validate(
        { assignmentIds, facts, waiting, anomalies: deep ? anomalies : null, settings, bands, since },
        report,
      );
    }
    const which = batchId === null ? 'assignments without facts' : `batch ${batchId}`;
    options.progress(`${which}: ${report.assignments} of ${total} assignments, ${report.rows} rows so far`);
  }
  await judgeWaiting(store, new Set([...byBatch.values()].flat()), report);
  return { report, context: await store.status() };
}

async function judgeWaiting(
  store: StoreCommand['store'],
  asked: ReadonlySet<Id>,
  report: Report,
): Promise<void> {
  const subject = (assignmentId: Id): Subject => ({
    assignmentId,
    batchId: null,
    since: -Infinity,
    waits: () => false,
  });
  for (const { assignmentId, code, message } of await store.parked()) {
    if (asked.has(assignmentId)) report.add('parked', subject(assignmentId), null, `${code}: ${message}`);
  }
  for (const { assignmentId, sinceMs } of await store.waitingDirt(STALE_MS, STALE_SHOWN)) {
    if (!asked.has(assignmentId)) continue;
    report.add('stale_dirt', subject(assignmentId), null, `waits since ${new Date(sinceMs).toISOString()}`);
  }
}

const STALE_SHOWN = 10_000;
