/** An operator's own weighing: entered into the store itself, with the dirt it causes, in one transaction. */
import { sameFact } from '../domain/fact-columns.ts';
import type { Id, ManualAnchorFact } from '../domain/facts.ts';
import type { Clock, IngestTx, RecomputeRequests, StateStore } from '../domain/ports.ts';
import type { EngineSettings } from '../domain/settings.ts';
import { dirtOf } from '../source/registry.ts';

export interface ManualAnchorDeps {
  readonly store: Pick<StateStore, 'ingest'>;
  readonly requests: RecomputeRequests;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly settings: EngineSettings;
}

/** Enters the weighing; resolves with its id. */
export async function enterManualAnchor(
  deps: ManualAnchorDeps,
  anchor: Omit<ManualAnchorFact, 'id'>,
): Promise<Id> {
  const id = await deps.store.ingest(async (tx) => {
    await tx.lockFacts('exclusive');
    const free = await freeId(tx, deps.clock.nowMs());
    const fact: ManualAnchorFact = { id: free, ...anchor };
    await tx.writeFacts('manual_anchor', [fact], []);
    await appendDirt(tx, deps, null, fact);
    return free;
  });
  await deps.requests.request([anchor.assignmentId]);
  return id;
}

/** Takes a weighing back; false where there is none of that id. */
export async function removeManualAnchor(deps: ManualAnchorDeps, id: Id): Promise<boolean> {
  const gone = await deps.store.ingest(async (tx) => {
    await tx.lockFacts('exclusive');
    const anchor = (await tx.readFacts('manual_anchor', [id])).get(id);
    if (anchor === undefined) return null;
    await tx.writeFacts('manual_anchor', [], [id]);
    await appendDirt(tx, deps, anchor, null);
    return anchor;
  });
  if (gone !== null) await deps.requests.request([gone.assignmentId]);
  return gone !== null;
}

/** Makes the weighings those that are wanted, with the dirt of each that differs; returns how many did. */
export async function alignManualAnchors(
  deps: ManualAnchorDeps,
  wanted: readonly ManualAnchorFact[],
  present: readonly ManualAnchorFact[],
): Promise<number> {
  const [before, after] = [byId(present), byId(wanted)];
  const ids = [...new Set([...before.keys(), ...after.keys()])];
  const changes = ids
    .map((id) => [before.get(id) ?? null, after.get(id) ?? null] as const)
    .filter(([was, is]) => was === null || is === null || !sameFact('manual_anchor', was, is));
  if (changes.length === 0) return 0;
  await deps.store.ingest(async (tx) => {
    await tx.lockFacts('exclusive');
    const upserts = changes.flatMap(([, is]) => (is === null ? [] : [is]));
    const deletes = changes.flatMap(([was, is]) => (was === null || is !== null ? [] : [was.id]));
    await tx.writeFacts('manual_anchor', upserts, deletes);
    for (const [was, is] of changes) await appendDirt(tx, deps, was, is);
  });
  return changes.length;
}

function byId(anchors: readonly ManualAnchorFact[]): Map<Id, ManualAnchorFact> {
  return new Map(anchors.map((anchor) => [anchor.id, anchor]));
}

/** Ids follow the clock; under the lock nobody else takes the one that is free. */
async function freeId(tx: IngestTx, nowMs: number): Promise<Id> {
  for (let id = nowMs; ; id += 1) {
    if ((await tx.readFacts('manual_anchor', [id])).size === 0) return id;
  }
}

async function appendDirt(
  tx: IngestTx,
  { clock, settings }: ManualAnchorDeps,
  before: ManualAnchorFact | null,
  after: ManualAnchorFact | null,
): Promise<void> {
  const scopes = dirtOf('manual_anchor', before, after, settings);
  const resolved = await tx.resolve(scopes.map((scope) => ({ scope, reason: 'manual_anchor' })));
  const origin = { committedMs: null, decodedMs: clock.nowMs() };
  await tx.appendDirt(resolved.map((dirt) => ({ ...dirt, ...origin })));
}
