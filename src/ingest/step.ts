/**
 * One batch of one change topic's partition → facts, dirt and position in one transaction, then the wake-ups.
 *
 * Invariants:
 *  1. the position moves by compare-and-set in the transaction that writes the facts, so a stale owner's or a
 *     repeated batch changes nothing;
 *  2. dirt is appended in that transaction too, so no change of a fact is ever forgotten;
 *  3. a dead letter reaches its topic before that commit, so none is lost (it may be repeated);
 *  4. what the batch shows of upstream transactions is noted in that transaction, and its dirt refers to it. Whether
 *     one is whole is asked after the commit: whoever commits its last part, or its end, sees all the others.
 */
import type { Decoded, Rejection, SourceRecord } from '../domain/cdc.ts';
import type { Id } from '../domain/facts.ts';
import type {
  Clock,
  DeadLetter,
  DeadLetterTopic,
  IngestTx,
  PartitionId,
  RecomputeRequests,
  StateStore,
} from '../domain/ports.ts';
import type { EngineSettings } from '../domain/settings.ts';
import { TRANSACTIONS_KEPT_MS } from '../domain/topics.ts';
import type { TransactionNotes } from '../domain/transactions.ts';
import { mapChange } from '../source/registry.ts';
import { applyPlan, lockModeOf } from './apply.ts';
import type { Applied } from './apply.ts';
import { planBatch } from './plan.ts';
import type { IngestPlan } from './plan.ts';

/** Turns a record into a change, or says why not. Rejects its promise only when the registry is out of reach. */
export interface RecordDecoder {
  decode(record: SourceRecord): Decoded | Promise<Decoded>;
}

export interface IngestDeps {
  readonly store: Pick<StateStore, 'ingest' | 'settleTransactions'>;
  readonly decoder: RecordDecoder;
  readonly deadLetters: DeadLetterTopic;
  readonly requests: RecomputeRequests;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly settings: EngineSettings;
  /** Dirt waits until the upstream transactions behind it are whole. */
  readonly wholeTransactions?: boolean;
}

export interface IngestResult {
  /** The partition's next offset. */
  readonly next: bigint;
  readonly plan: IngestPlan;
  readonly letters: readonly DeadLetter[];
  readonly dirtied: readonly Id[];
  readonly effective: number;
  readonly decodedMs: number;
}

/**
 * Ingests a partition's records, ascending by offset, from the position `expected` on.
 * Throws StalePositionError when another owner moved the position; whatever else it throws is an outage, and
 * the same call may be repeated.
 */
export async function ingestBatch(
  deps: IngestDeps,
  partition: PartitionId,
  records: readonly SourceRecord[],
  expected: bigint,
): Promise<IngestResult> {
  const fresh = records.filter((record) => record.offset >= expected);
  const last = fresh.at(-1);
  const plan = planBatch(
    fresh,
    await decodeAll(deps.decoder, fresh),
    (event) => mapChange(event, deps.settings),
    records.length - fresh.length,
    deps.wholeTransactions === true ? deps.clock.nowMs() - TRANSACTIONS_KEPT_MS : null,
  );
  const decodedMs = deps.clock.nowMs();
  const next = last === undefined ? expected : last.offset + 1n;
  if (last === undefined) {
    return { next, plan, letters: [], dirtied: [], effective: 0, decodedMs };
  }

  // Before the transaction: everybody's ingest waits for its locks, and a broker may take its time.
  if (plan.letters.length > 0) await deps.deadLetters.send(plan.letters);
  const { applied, letters } = await deps.store.ingest(async (tx) => {
    await tx.lockFacts(lockModeOf(plan));
    await tx.advance([{ ...partition, expected, next }]);
    if (hasNotes(plan.transactions)) await tx.noteTransactions(plan.transactions);
    const written = await writePlan(tx, deps, partition.topic, plan, decodedMs);
    if (plan.snapshot !== null) await tx.noteSnapshot(plan.snapshot);
    return written;
  });
  const dirtied = applied.dirt.map((dirt) => dirt.assignmentId);
  const due = hasNotes(plan.transactions) ? await settle(deps, plan.transactions) : dirtied;
  if (due.length > 0) await deps.requests.request(due);
  return { next, plan, letters, dirtied, effective: applied.effective, decodedMs };
}

function hasNotes({ parts, ends }: TransactionNotes): boolean {
  return parts.length + ends.length > 0;
}

/** Whose dirt may be due, now that this batch is in. Dirt of a part that is left alone is woken by whoever completes it. */
function settle({ store }: IngestDeps, { parts, ends }: TransactionNotes): Promise<readonly Id[]> {
  return store.settleTransactions([...parts, ...ends].map(({ id }) => id));
}

/** What became of another attempt at a dead letter. */
export type RetryOutcome =
  | { readonly kind: 'ingested' }
  /** A later record of its key was ingested, or somebody closed it. */
  | { readonly kind: 'superseded' }
  | { readonly kind: 'refused'; readonly rejection: Rejection };

/**
 * Tries a dead letter again with today's decoder and mapping. It counts only while no later record of its key
 * was ingested, which the claim checks under a lock.
 */
export async function retryDeadLetter(deps: IngestDeps, record: SourceRecord): Promise<RetryOutcome> {
  const plan = await planRetry(deps, record);
  const [letter] = plan.letters;
  if (letter !== undefined) return { kind: 'refused', rejection: letter.rejection };
  const decodedMs = deps.clock.nowMs();
  const outcome = await deps.store.ingest(async (tx) => {
    await tx.lockFacts(lockModeOf(plan));
    if (!(await tx.claimDeadLetter(record))) return null;
    return writePlan(tx, deps, record.topic, plan, decodedMs);
  });
  if (outcome === null) return { kind: 'superseded' };
  const [refused] = outcome.letters;
  if (refused !== undefined) return { kind: 'refused', rejection: refused.rejection };
  const dirtied = outcome.applied.dirt.map((dirt) => dirt.assignmentId);
  if (dirtied.length > 0) await deps.requests.request(dirtied);
  return { kind: 'ingested' };
}

/** Why today's decoder and mapping would refuse it again; null: they take it. What the store says is not known. */
export async function judgeDeadLetter(
  deps: Pick<IngestDeps, 'decoder' | 'settings'>,
  record: SourceRecord,
): Promise<Rejection | null> {
  return (await planRetry(deps, record)).letters[0]?.rejection ?? null;
}

async function planRetry(
  deps: Pick<IngestDeps, 'decoder' | 'settings'>,
  record: SourceRecord,
): Promise<IngestPlan> {
  return planBatch([record], await decodeAll(deps.decoder, [record]), (event) =>
    mapChange(event, deps.settings),
  );
}

export async function decodeAll(
  decoder: RecordDecoder,
  records: readonly SourceRecord[],
): Promise<Decoded[]> {
  const decoded: Decoded[] = [];
  for (const record of records) {
    const result = decoder.decode(record);
    // Only a schema seen for the first time needs waiting for; a promise per record would double the cost.
    decoded.push(result instanceof Promise ? await result : result);
  }
  return decoded;
}

async function writePlan(
  tx: IngestTx,
  deps: IngestDeps,
  topic: string,
  plan: IngestPlan,
  decodedMs: number,
): Promise<{ applied: Applied; letters: readonly DeadLetter[] }> {
  await tx.keepDeadLetters(plan.letters);
  // Before anything is read: an attempt at such a letter that is just under way is waited for here, or the
  // image that it writes would not be seen, and would stay.
  if (plan.goodKeys.length > 0) await tx.supersedeDeadLetters(topic, plan.goodKeys);
  const applied = await applyPlan(tx, plan, deps.settings);
  if (applied.dirt.length > 0) {
    const origin = { committedMs: plan.committedMs, decodedMs };
    await tx.appendDirt(applied.dirt.map((dirt) => ({ ...dirt, ...origin })));
  }
  if (applied.refused.length > 0) {
    // Rare, and known only now; after the commit a crash would lose them.
    await deps.deadLetters.send(applied.refused);
    await tx.keepDeadLetters(applied.refused);
  }
  return { applied, letters: [...plan.letters, ...applied.refused] };
}
