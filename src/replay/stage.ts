/**
 * Records of a partition → each key's last image, staged in one transaction with how far that is. The same functions as
 * ingest's judge each record, so a record is a fact, nothing, or a dead letter here as there.
 */
import { StalePositionError } from '../domain/errors.ts';
import type { Decoded, SourceRecord } from '../domain/cdc.ts';
import type { PartitionId } from '../domain/ports.ts';
import type { StagedChunk, StagingStore } from '../domain/replay.ts';
import type { EngineSettings } from '../domain/settings.ts';
import { refusalOf } from '../ingest/isolate.ts';
import { planBatch } from '../ingest/plan.ts';
import type { IngestPlan } from '../ingest/plan.ts';
import { decodeAll } from '../ingest/step.ts';
import type { RecordDecoder } from '../ingest/step.ts';
import { mapChange } from '../source/registry.ts';

export interface StageDeps {
  readonly staging: StagingStore;
  readonly decoder: RecordDecoder;
  readonly settings: EngineSettings;
  /** True for failures of infrastructure, which are never a record's fault. */
  readonly isOutage: (error: unknown) => boolean;
}

export interface Prepared {
  readonly records: readonly SourceRecord[];
  readonly decoded: readonly Decoded[];
  readonly plan: IngestPlan;
}

/** Nobody waits for the transactions of records that are long past. */
const NO_TRANSACTIONS = Number.POSITIVE_INFINITY;

/** The part that needs no store: while one chunk is written the next one is prepared. */
export async function prepare(
  deps: Pick<StageDeps, 'decoder' | 'settings'>,
  records: readonly SourceRecord[],
): Promise<Prepared> {
  return planned(deps, records, await decodeAll(deps.decoder, records));
}

function planned(
  { settings }: Pick<StageDeps, 'settings'>,
  records: readonly SourceRecord[],
  decoded: readonly Decoded[],
): Prepared {
  return {
    records,
    decoded,
    plan: planBatch(records, decoded, (event) => mapChange(event, settings), 0, NO_TRANSACTIONS),
  };
}

/**
 * Stages what was prepared; where the store refuses it for its data it is halved until the record stands alone, which
 * becomes a dead letter. Returns how many letters were kept. Throws stale positions and outages only.
 */
export async function stage(
  deps: StageDeps,
  at: PartitionId,
  prepared: Prepared,
  from: bigint,
  next: bigint,
): Promise<number> {
  const { records, decoded } = prepared;
  try {
    await deps.staging.stage(chunkOf(at, prepared, from, next));
    return prepared.plan.letters.length;
  } catch (error) {
    if (error instanceof StalePositionError || deps.isOutage(error) || records.length === 0) throw error;
    if (records.length === 1) {
      const refused = planned(deps, records, [{ kind: 'rejected', rejection: refusalOf(error) }]);
      await deps.staging.stage(chunkOf(at, refused, from, next));
      return 1;
    }
  }
  const middle = Math.ceil(records.length / 2);
  const between = (records[middle] as SourceRecord).offset;
  const half = (a: number, b?: number) => planned(deps, records.slice(a, b), decoded.slice(a, b));
  const first = await stage(deps, at, half(0, middle), from, between);
  return first + (await stage(deps, at, half(middle), between, next));
}

function chunkOf(at: PartitionId, { records, plan }: Prepared, from: bigint, next: bigint): StagedChunk {
  const { topic, partition } = at;
  return {
    topic,
    partition,
    from,
    next,
    records: records.length,
    facts: new Map([...plan.facts].map(([kind, changes]) => [kind, [...changes.values()]])),
    readings: [...plan.readings.values()],
    letters: plan.letters,
    goodKeys: plan.goodKeys,
  };
}
