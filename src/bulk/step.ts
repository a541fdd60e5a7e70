/**
 * One chunk of a bulk computation as one transaction: claim → load → full pass → rows, anomalies, note → commit.
 *
 * Invariants:
 *  1. a batch is noted as done in the transaction that writes its rows: killed anywhere, a run goes on behind it;
 *  2. batches that unmeasured fish join are computed together, or after the rows of the others stand;
 *  3. nothing is published, and no assignment is locked: nobody else computes in such a schema.
 */
import type { BulkFacts, BulkStore, BulkTx } from '../domain/bulk.ts';
import type { Id } from '../domain/facts.ts';
import type { Anomaly } from '../domain/rows.ts';
import type { EngineSettings } from '../domain/settings.ts';
import { fullPass } from '../engine/full-pass.ts';
import type { Computed } from '../engine/types.ts';
import type { BulkChunk } from './plan.ts';

export interface BulkStepDeps {
  readonly store: Pick<BulkStore, 'compute'>;
  readonly settings: EngineSettings;
  /** True for failures of infrastructure, which are no facts' fault. */
  readonly isOutage: (error: unknown) => boolean;
}

export interface ChunkResult {
  readonly assignments: number;
  readonly rows: number;
  readonly anomalies: number;
  /** Failed by themselves, and were left to ordinary recomputes, which know how to set a single one aside. */
  readonly left: readonly Id[];
}

const NOTHING: ChunkResult = { assignments: 0, rows: 0, anomalies: 0, left: [] };

/** Throws outages only. */
export async function computeChunk(
  deps: BulkStepDeps,
  { components }: Pick<BulkChunk, 'components'>,
): Promise<ChunkResult> {
  const batchIds = components.flatMap((component) => component.batchIds);
  try {
    return await deps.store.compute((tx) => computeBatches(tx, batchIds, deps.settings));
  } catch (error) {
    if (deps.isOutage(error)) throw error;
    if (components.length <= 1) return deps.store.compute((tx) => leaveBatches(tx, batchIds));
  }
  let sum = NOTHING;
  for (const component of components) sum = add(sum, await computeChunk(deps, { components: [component] }));
  return sum;
}

async function computeBatches(
  tx: BulkTx,
  batchIds: readonly Id[],
  settings: EngineSettings,
): Promise<ChunkResult> {
  const open = await tx.claim(batchIds);
  if (open.length === 0) return NOTHING;
  const facts = await tx.load(open);
  const computed = computeAll(facts, settings);
  const rows = [...computed.values()].map((one) => one.rows).filter(({ length }) => length > 0);
  const anomalies: Anomaly[] = [...computed.values()].flatMap((one) => one.anomalies);
  await tx.writeRows(rows);
  await tx.keepAnomalies(anomalies);
  const counts = facts.batches.map(({ batch, assignments }) => {
    const results = assignments.map(({ id }) => computed.get(id)).filter((one) => one !== undefined);
    const total = results.reduce((sum, one) => sum + one.rows.length, 0);
    return { batchId: batch.id, assignments: results.length, rows: total };
  });
  await tx.noteDone(counts);
  return {
    assignments: computed.size,
    rows: counts.reduce((sum, count) => sum + count.rows, 0),
    anomalies: anomalies.length,
    left: [],
  };
}

function computeAll(facts: BulkFacts, settings: EngineSettings): Map<Id, Computed> {
  const { batches, factsOf, horizon, sourceWeight } = facts;
  return fullPass(batches, (id) => factsOf.get(id) ?? null, horizon, settings, sourceWeight);
}

async function leaveBatches(tx: BulkTx, batchIds: readonly Id[]): Promise<ChunkResult> {
  const open = await tx.claim(batchIds);
  return { ...NOTHING, left: open.length === 0 ? [] : await tx.leave(open) };
}

function add(a: ChunkResult, b: ChunkResult): ChunkResult {
  return {
    assignments: a.assignments + b.assignments,
    rows: a.rows + b.rows,
    anomalies: a.anomalies + b.anomalies,
    left: [...a.left, ...b.left],
  };
}
