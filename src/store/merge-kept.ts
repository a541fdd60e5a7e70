/** Facts some of whose records lack values that the source could not send: few, and folded image by image. */
import { KEEP } from '../domain/cdc.ts';
import type { Fact, FactKind, FactTypes, Id } from '../domain/facts.ts';
import type { DeadLetter, PartitionId } from '../domain/ports.ts';
import type { StagedImage } from '../domain/replay.ts';
import { numberArray, textArray } from './arrays.ts';
import { bodyOf, keepDeadLetters } from './dead-letters.ts';
import { selectList, toFact } from './fact-tables.ts';
import type { Session } from './session.ts';
import { stagedTable } from './staging.ts';

/** What the images of one fact come to, in their order. */
export type FoldImages = (
  kind: FactKind,
  id: Id,
  images: readonly StagedImage[],
) => { readonly image: Fact | null; readonly refused: readonly DeadLetter[] };

/** Facts at a time. */
const PAGE = 500;

export async function mergeKept<K extends FactKind>(
  session: Session,
  kind: K,
  fold: FoldImages,
  insert: (facts: readonly FactTypes[K][]) => Promise<void>,
): Promise<number> {
  let merged = 0;
  for (let after = Number.MIN_SAFE_INTEGER; ;) {
    const ids = await nextIds(session, kind, after);
    if (ids.length === 0) return merged;
    after = ids.at(-1) as Id;
    const images = await imagesOf(session, kind, ids);
    const folded = ids.map((id) => fold(kind, id, images.get(id) ?? []));
    const facts = folded.flatMap(({ image }) => (image === null ? [] : [image as FactTypes[K]]));
    if (facts.length > 0) await insert(facts);
    await keepRefused(
      session,
      folded.flatMap(({ refused }) => refused),
      kind,
    );
    merged += facts.length;
  }
}

async function nextIds(session: Session, kind: FactKind, after: Id): Promise<Id[]> {
  const rows = await session.rows<[Id]>(
    `SELECT DISTINCT id FROM ${session.t('staged_kept')} WHERE kind = $1 AND id > $2 ORDER BY id LIMIT ${PAGE}`,
    [kind, after],
  );
  return rows.map(([id]) => id);
}

type KeptRow = readonly [
  fields: string | null,
  topic: string,
  partition: number,
  offset: string,
  timestampMs: number,
  key: Buffer | null,
  value: Buffer | null,
  headers: string | null,
];

async function imagesOf(
  session: Session,
  kind: FactKind,
  ids: readonly Id[],
): Promise<Map<Id, StagedImage[]>> {
  const rows = await session.rows(
    `SELECT s.id, s.deleted, array_to_string(k.fields, ','), k.topic, k.partition, k."offset"::text, k.timestamp_ms,
       k.key, k.value, k.headers, ${selectList(kind, 's')}
     FROM ${session.t(stagedTable(kind))} s
     LEFT JOIN ${session.t('staged_kept')} k
       ON s.kept AND k.kind = $1 AND k.id = s.id AND k.partition = s.partition AND k.ord = s.ord
     WHERE s.id = ANY ($2::bigint[]) ORDER BY s.id, s.partition, s.ord`,
    [kind, numberArray(ids)],
  );
  const images = new Map<Id, StagedImage[]>();
  for (const row of rows) {
    const [id, deleted, ...rest] = row as readonly [Id, boolean, ...unknown[]];
    const ofId = images.get(id) ?? [];
    images.set(id, ofId);
    ofId.push(imageOf(kind, deleted, rest));
  }
  return images;
}

function imageOf(kind: FactKind, deleted: boolean, rest: readonly unknown[]): StagedImage {
  if (deleted) return { image: null, record: null };
  const [fields, topic, partition, offset, timestampMs, key, value, json] = rest as unknown as KeptRow;
  const fact = toFact(kind, rest.slice(8));
  if (fields === null) return { image: fact, record: null };
  const image = { ...fact, ...Object.fromEntries(fields.split(',').map((field) => [field, KEEP])) };
  const headers = json === null ? undefined : (JSON.parse(json) as Readonly<Record<string, string>>);
  return { image, record: { topic, partition, offset: BigInt(offset), timestampMs, key, value, headers } };
}

/** A letter that a later record of its row followed is superseded, be that record good or set aside itself. */
async function keepRefused(session: Session, letters: readonly DeadLetter[], kind: FactKind): Promise<void> {
  if (letters.length === 0) return;
  await keepDeadLetters(session, letters);
  const table = session.t('dead_letter');
  const at: readonly (PartitionId & { offset: bigint })[] = letters.map(({ record }) => record);
  await session.run(
    `UPDATE ${table} d SET state = 'superseded', closed_at = now()
     FROM unnest($1::text[], $2::integer[], $3::bigint[]) l (topic, partition, "offset")
     JOIN ${session.t('staged_kept')} k
       ON k.topic = l.topic AND k.partition = l.partition AND k."offset" = l."offset" AND k.kind = $4
     WHERE d.topic = l.topic AND d.partition = l.partition AND d."offset" = l."offset" AND d.state = 'open'
       AND (EXISTS (SELECT FROM ${session.t(stagedTable(kind))} s
              WHERE s.id = k.id AND s.partition = k.partition AND s.ord > k.ord)
         OR EXISTS (SELECT FROM ${table} o WHERE o.topic = d.topic AND o.partition = d.partition
              AND o."offset" > d."offset" AND ${bodyOf(session, 'o')} = ${bodyOf(session, 'd')}))`,
    [
      textArray(at.map(({ topic }) => topic)),
      numberArray(at.map(({ partition }) => partition)),
      numberArray(at.map(({ offset }) => offset)),
      kind,
    ],
  );
}
