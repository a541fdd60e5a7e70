/** The law: the stored rows against one pass over all facts, bit for bit, and the anomalies with them. */
import { dayToIso } from '../domain/day.ts';
import type { AssignmentFacts, BatchFacts } from '../domain/engine-input.ts';
import type { Id } from '../domain/facts.ts';
import type { Anomaly } from '../domain/rows.ts';
import { diffRows, differingColumns } from '../engine/diff.ts';
import { fullPass } from '../engine/full-pass.ts';
import type { Computed } from '../engine/types.ts';
import type { Report, Subject } from './report.ts';
import type { ValidateInput } from './validate.ts';

/** An anomaly as kept; its code may be one of an earlier release. */
export type AnomalyText = Omit<Anomaly, 'code'> & { readonly code: string };

type DeepInput = ValidateInput & { readonly anomalies: ReadonlyMap<Id, readonly AnomalyText[]> };

/** `anyWaits`: a source's dirt may change any row of its receivers. */
export function judgeDeep(input: DeepInput, anyWaits: boolean, report: Report): void {
  const { facts, settings } = input;
  const asked = new Set(input.assignmentIds);
  const factsOf = (id: Id): AssignmentFacts | null =>
    asked.has(id) && !facts.retired.has(id) ? (facts.factsOf.get(id) ?? null) : null;
  const batches = new Set<BatchFacts>(input.assignmentIds.flatMap((id) => facts.batchOf.get(id) ?? []));
  const results = fullPass([...batches], factsOf, facts.horizon, settings, (id, day) =>
    facts.sourceWeights.get(id)?.get(day),
  );
  for (const assignmentId of input.assignmentIds) {
    const computed = results.get(assignmentId);
    if (computed === undefined) continue;
    const subject: Subject = {
      assignmentId,
      batchId: facts.batchOf.get(assignmentId)?.batch.id ?? null,
      since: input.since ?? -Infinity,
      waits: () => anyWaits,
    };
    judgeRows(input, subject, computed, report);
    judgeAnomalies(input, subject, computed, report);
  }
}

/** Days that are missing or too many are told by judge.ts. */
function judgeRows(
  { facts }: DeepInput,
  subject: Subject,
  { rows, interval }: Computed,
  report: Report,
): void {
  const stored = facts.storedOf.get(subject.assignmentId);
  if (stored === undefined) return;
  for (const i of diffRows(rows, interval, stored).changes.updates) {
    const day = rows.firstDay + i;
    const columns = differingColumns(rows, i, stored, day - stored.firstDay);
    report.add('differs', subject, day, columns.join(', '));
  }
}

function judgeAnomalies(input: DeepInput, subject: Subject, computed: Computed, report: Report): void {
  const kept = texts(input.anomalies.get(subject.assignmentId) ?? [], subject);
  const found = texts(computed.anomalies, subject);
  const surplus = kept.filter((text) => !found.includes(text));
  const missing = found.filter((text) => !kept.includes(text));
  if (surplus.length + missing.length === 0) return;
  const parts = [
    ...surplus.map((text) => `kept only: ${text}`),
    ...missing.map((text) => `not kept: ${text}`),
  ];
  report.add('anomalies_differ', subject, null, `${parts.length}, the first ${parts[0]}`);
}

function texts(anomalies: readonly AnomalyText[], { since }: Subject): string[] {
  return anomalies
    .filter(({ day }) => day === null || day >= since)
    .map(
      ({ day, rule, code, detail }) => `${day === null ? '' : `${dayToIso(day)} `}${rule} ${code} ${detail}`,
    );
}
