/**
 * Upserts into compressed chunks beside the same into chunks that are not, on TimescaleDB's WASM build: the ratios are
 * TimescaleDB's, the rates those of one thread of WASM and no measure of a server.
 */
import { isoToDay } from '../../src/domain/day.ts';
import type { RowChanges } from '../../src/domain/ports.ts';
import type { PgStore } from '../../src/store/pg-store.ts';
import { openBuild } from '../../test/support/store-builds.ts';
import type { StorePlace } from '../../test/support/store-builds.ts';
import { inserting, rowsOf, updating } from '../../test/support/store-rows.ts';
import type { Bench, BenchOptions, Figure } from './bench.ts';
import { median, secondsOf } from './bench.ts';

const ROUNDS = 3;
const ASSIGNMENTS = 40;
const DAYS = 140;
/** A correction's reach: so many days of each assignment change, in the midst of its life. */
const CORRECTED = { from: 60, days: 5 };
const FIRST = isoToDay('2023-03-06');

export const compressedBench: Bench = {
  name: 'compressed',
  about:
    'Rows changed and added in compressed chunks, beside the same in chunks that are not (TimescaleDB as WASM).',
  run,
};

const WORK = {
  corrected: `a correction: ${CORRECTED.days} days of each assignment changed`,
  whole: 'every row changed',
  added: 'assignments added to the same days',
} as const;
type Work = keyof typeof WORK;

async function run({ scale, say }: BenchOptions): Promise<readonly Figure[]> {
  await using place = await openBuild('timescale');
  const assignments = Math.max(2, Math.round(ASSIGNMENTS * scale));
  const times = new Map<string, number[]>();
  const rows = new Map<Work, number>();
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const compress of [false, true]) {
      for (const work of Object.keys(WORK) as Work[]) {
        say(`round ${round}: ${work}, ${compress ? 'compressed' : 'plain'} chunks`);
        const { store, schema } = await place.newStore();
        await writeAll(store, filled(assignments));
        if (compress) await compressAll(place, schema);
        const changes = changesOf(work, assignments);
        const seconds = await secondsOf(() => writeAll(store, changes));
        await place.pool.query(`DROP SCHEMA ${schema} CASCADE`);
        rows.set(
          work,
          changes.reduce((sum, { inserts, updates }) => sum + inserts.length + updates.length, 0),
        );
        const key = `${work} ${compress}`;
        if (round > 0) times.set(key, [...(times.get(key) ?? []), seconds]);
      }
    }
  }
  return (Object.keys(WORK) as Work[]).flatMap((work) => {
    const of = (compress: boolean): number =>
      (rows.get(work) ?? 0) / median(times.get(`${work} ${compress}`) ?? []);
    const ratio = { of: 'uncompressed', value: of(true) / of(false) };
    return [
      {
        what: `${WORK[work]}, not compressed`,
        value: of(false),
        unit: 'rows/s',
        note: `${rows.get(work)} rows`,
      },
      { what: `${WORK[work]}, compressed`, value: of(true), unit: 'rows/s', ratio },
    ];
  });
}

function filled(assignments: number): RowChanges[] {
  return Array.from({ length: assignments }, (_, i) => inserting(rowsOf({ assignmentId: i + 1, firstDay: FIRST, length: DAYS }))); // prettier-ignore
}

function changesOf(work: Work, assignments: number): RowChanges[] {
  if (work === 'added') return filled(assignments).map(({ rows, ...rest }) => ({ ...rest, rows: { ...rows, assignmentId: rows.assignmentId + assignments } })); // prettier-ignore
  const [from, length] = work === 'whole' ? [0, DAYS] : [CORRECTED.from, CORRECTED.days];
  const days = Array.from({ length }, (_, i) => from + i);
  return Array.from({ length: assignments }, (_, i) =>
    updating(rowsOf({ assignmentId: i + 1, firstDay: FIRST, length: DAYS, seed: 2 }), days),
  );
}

function writeAll(store: PgStore, changes: readonly RowChanges[]): Promise<void> {
  return store.recompute((tx) => tx.writeRows(changes, [], 1n));
}

async function compressAll(place: StorePlace, schema: string): Promise<void> {
  const { rowCount } = await place.pool.query(
    `SELECT public.compress_chunk(c) FROM public.show_chunks('${schema}.daily_state'::regclass) c`,
  );
  if (!rowCount) throw new Error('there was nothing to compress');
}
