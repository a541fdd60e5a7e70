/** Some assignments of one snapshot of the store, judged. */
import { MIN_DAY, dayToIso } from '../domain/day.ts';
import type { Day } from '../domain/day.ts';
import type { DayWindow } from '../domain/dirt.ts';
import type { BatchFacts } from '../domain/engine-input.ts';
import type { Id } from '../domain/facts.ts';
import type { RecomputeFacts } from '../domain/ports.ts';
import type { EngineSettings } from '../domain/settings.ts';
import { prepareBatch } from '../engine/context.ts';
import type { BatchContext } from '../engine/context.ts';
import type { Bands } from './checks.ts';
import { judgeDeep } from './deep.ts';
import type { AnomalyText } from './deep.ts';
import { judgeAssignment } from './judge.ts';
import type { Report, Subject } from './report.ts';

export interface ValidateInput {
  readonly assignmentIds: readonly Id[];
  /** Of their whole lives, rows included. */
  readonly facts: RecomputeFacts;
  /** Dirt that is not set aside, of these and of all that their batches had fish from. */
  readonly waiting: readonly (DayWindow & { readonly assignmentId: Id; readonly setAside: boolean })[];
  /** Given for a deep validation alone. */
  readonly anomalies: ReadonlyMap<Id, readonly AnomalyText[]> | null;
  readonly settings: EngineSettings;
  readonly bands: Bands;
  readonly since: Day | null;
}

export function validate(input: ValidateInput, report: Report): void {
  const { facts, settings } = input;
  const contexts = new Map<BatchFacts, BatchContext>();
  const contextOf = (id: Id): BatchContext | null => {
    const batch = facts.batchOf.get(id);
    if (batch === undefined) return null;
    const context = contexts.get(batch) ?? prepareBatch(batch, facts.horizon, settings);
    contexts.set(batch, context);
    return context;
  };
  const waits = waitingOf(input);
  for (const assignmentId of input.assignmentIds) {
    const subject: Subject = {
      assignmentId,
      batchId: facts.batchOf.get(assignmentId)?.batch.id ?? null,
      since: input.since ?? MIN_DAY,
      waits: (day) => waits.own(assignmentId, day),
    };
    judgeOne(input, subject, contextOf(assignmentId), report);
  }
  if (input.anomalies !== null) judgeDeep({ ...input, anomalies: input.anomalies }, waits.any, report);
}

function judgeOne(
  { facts, bands }: ValidateInput,
  subject: Subject,
  context: BatchContext | null,
  report: Report,
): void {
  const id = subject.assignmentId;
  const stored = facts.storedOf.get(id) ?? null;
  report.assignments += 1;
  report.rows += stored === null ? 0 : stored.present.reduce((sum, present) => sum + present, 0);
  const own = facts.factsOf.get(id);
  const stay = context?.stayOf(id);
  const retired = facts.retired.has(id);
  if (context === null || own === undefined || stay === undefined || retired) {
    if (stored === null) return;
    const why = retired ? 'it was retired' : own === undefined ? 'it is unknown' : 'its batch is unknown';
    report.add(
      'row_of_nobody',
      subject,
      null,
      `${stored.length} days from ${dayToIso(stored.firstDay)} on, but ${why}`,
    );
    return;
  }
  judgeAssignment({ subject, context, stay, facts: own, stored, bands }, report);
}

/** Dirt may change the rows from its first day on, and those of whoever had fish from them. */
function waitingOf({ waiting }: ValidateInput) {
  const firstOf = new Map<Id, Day>();
  for (const { assignmentId, from, setAside } of waiting) {
    if (!setAside) firstOf.set(assignmentId, Math.min(firstOf.get(assignmentId) ?? from, from));
  }
  return {
    own(assignmentId: Id, day: Day | null): boolean {
      const first = firstOf.get(assignmentId);
      return first !== undefined && (day === null || first <= day);
    },
    any: firstOf.size > 0,
  };
}
