/**
 * A record that decodes and maps well may still be one that the store refuses. Then its batch is halved until
 * the record stands alone, and only it is set aside: a partition is never blocked by its content.
 */
import { REJECTIONS } from '../domain/cdc.ts';
import type { Decoded, Rejection, SourceRecord } from '../domain/cdc.ts';
import { StalePositionError } from '../domain/errors.ts';
import type { PartitionId } from '../domain/ports.ts';
import { ingestBatch, retryDeadLetter } from './step.ts';
import type { IngestDeps, IngestResult, RetryOutcome } from './step.ts';

export interface IsolatingIngestDeps extends IngestDeps {
  /** True for failures of infrastructure, which are never a record's fault. */
  readonly isOutage: (error: unknown) => boolean;
}

/** As ingestBatch, for one batch after the other where it has to be split. Throws stale positions and outages only. */
export async function ingestIsolating(
  deps: IsolatingIngestDeps,
  partition: PartitionId,
  records: readonly SourceRecord[],
  expected: bigint,
): Promise<readonly IngestResult[]> {
  try {
    return [await ingestBatch(deps, partition, records, expected)];
  } catch (error) {
    if (error instanceof StalePositionError || deps.isOutage(error)) throw error;
    if (records.length === 1) return [await ingestBatch(refusing(deps, error), partition, records, expected)];
  }
  const middle = Math.ceil(records.length / 2);
  const first = await ingestIsolating(deps, partition, records.slice(0, middle), expected);
  const next = first.at(-1)?.next ?? expected;
  return [...first, ...(await ingestIsolating(deps, partition, records.slice(middle), next))];
}

/** As retryDeadLetter, where what the store refuses is refused again and stays open. Throws outages only. */
export async function retryIsolating(deps: IsolatingIngestDeps, record: SourceRecord): Promise<RetryOutcome> {
  try {
    return await retryDeadLetter(deps, record);
  } catch (error) {
    if (deps.isOutage(error)) throw error;
    return { kind: 'refused', rejection: refusalOf(error) };
  }
}

/** The same, with the record set aside for what the store said. */
function refusing(deps: IngestDeps, error: unknown): IngestDeps {
  const rejection = refusalOf(error);
  const refused = (decoded: Decoded): Decoded => ({
    kind: 'rejected',
    rejection,
    transaction: 'transaction' in decoded ? decoded.transaction : null,
  });
  return {
    ...deps,
    decoder: {
      decode: (record) => {
        const decoded = deps.decoder.decode(record);
        return decoded instanceof Promise ? decoded.then(refused) : refused(decoded);
      },
    },
  };
}

/** Why a record is set aside that the store refused. */
export function refusalOf(error: unknown): Rejection {
  const message = error instanceof Error ? error.message : String(error);
  return { code: REJECTIONS.refused, message: `the state store refused the row: ${message}` };
}
