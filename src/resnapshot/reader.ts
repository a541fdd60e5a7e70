/** A run's own reading of the change topics: which keys came since it began. Nothing of ingest is touched by it. */
import type { SourceRecord } from '../domain/cdc.ts';
import type { PartitionId } from '../domain/ports.ts';
import { SWEEP_HEADER } from '../domain/resnapshot.ts';
import type { Resnapshot, ResnapshotStore, ShownRecord } from '../domain/resnapshot.ts';
import type { EngineSettings } from '../domain/settings.ts';
import { notificationTopic, tableOfTopic } from '../domain/topics.ts';
import type { CapturedTableName } from '../domain/topics.ts';
import { keptAs, rowKeyOf } from '../source/source-key.ts';
import { newsOf, notificationOf } from './notifications.ts';

type BytesDecoded = { readonly ok: true; readonly value: unknown } | { readonly ok: false };

/** Bytes → value, at once where the schema is known. */
export interface BytesDecoder {
  decode(bytes: Buffer): BytesDecoded | Promise<BytesDecoded>;
}

export interface ReaderDeps {
  readonly store: Pick<ResnapshotStore, 'latest' | 'noteShown' | 'noteNews'>;
  readonly decoder: BytesDecoder;
  readonly settings: EngineSettings;
  /** The connector's topic.prefix. */
  readonly prefix: string;
}

export interface Reading extends PartitionId {
  readonly expected: bigint;
}

/** Notes consecutive records of one partition. Throws StalePositionError where another reader was here. */
export async function readShown(
  deps: ReaderDeps,
  run: string,
  records: readonly SourceRecord[],
  { topic, partition, expected }: Reading,
): Promise<void> {
  const last = records.at(-1);
  if (last === undefined) return;
  const at = { topic, partition, expected, next: last.offset + 1n };
  if (topic === notificationTopic(deps.prefix)) return readNews(deps, run, records, at);
  const table = tableOfTopic(deps.prefix, topic);
  if (table === null) return;
  const shown: ShownRecord[] = [];
  for (const record of records) {
    const read = await readKey(deps, table, record);
    if (read !== null) shown.push(read);
  }
  const unreadable = records.length - shown.length;
  await deps.store.noteShown({ ...at, run, table, kind: keptAs(table), records: shown, unreadable });
}

/** Keys alone are decoded: a row's end is a record without value, whatever was written before it. */
async function readKey(
  { decoder, settings }: ReaderDeps,
  table: CapturedTableName,
  { offset, key, value, headers }: SourceRecord,
): Promise<ShownRecord | null> {
  if (key === null) return null;
  const result = decoder.decode(key);
  const decoded = result instanceof Promise ? await result : result;
  const row = decoded.ok ? rowKeyOf(table, decoded.value, settings) : null;
  if (row === null) return null;
  const mark = headers?.[SWEEP_HEADER];
  return { ...row, offset, key, value, own: mark === undefined ? null : { repeats: repeatOf(String(mark)) } };
}

/** The header's second word. */
function repeatOf(mark: string): bigint | null {
  const offset = mark.split(' ')[1];
  return offset !== undefined && /^\d+$/.test(offset) ? BigInt(offset) : null;
}

async function readNews(
  { store, decoder }: ReaderDeps,
  id: string,
  records: readonly SourceRecord[],
  at: Reading & { readonly next: bigint },
): Promise<void> {
  const run: Resnapshot | null = await store.latest();
  if (run === null || run.id !== id) return;
  const notices = [];
  for (const { value } of records) {
    const decoded = value === null ? null : await decoder.decode(value);
    const notice = decoded?.ok === true ? notificationOf(decoded.value) : null;
    if (notice !== null) notices.push(notice);
  }
  await store.noteNews(id, at, newsOf(run, notices));
}
