import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILDS, openBuild } from '../support/store-builds.ts';
import type { StorePlace } from '../support/store-builds.ts';
import { describeResnapshots } from '../support/store-conformance-resnapshots.ts';

const UNLOGGED = [
  'resnapshot_read',
  'resnapshot_shown',
  'resnapshot_shown_reading',
  'transaction_end',
  'transaction_part',
];
const DAY_MS = 86_400_000;

describe.each(BUILDS)('resnapshots: Postgres, %s build', (build) => {
  let place: StorePlace;
  beforeAll(async () => {
    place = await openBuild(build);
  });
  afterAll(() => place[Symbol.asyncDispose]());

  describeResnapshots(async () => {
    const { store, schema } = await place.newStore();
    const loseUnlogged = async (): Promise<void> => {
      await place.pool.query(`TRUNCATE ${UNLOGGED.map((table) => `${schema}.${table}`).join(', ')}`);
    };
    return { store, runs: store.resnapshots, loseUnlogged };
  });

  it('keeps what may be emptied out of the log, and nothing else', async () => {
    const { schema } = await place.newStore();
    const { rows } = await place.pool.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = $1::regnamespace AND relpersistence = 'u'
       AND relkind = 'r' ORDER BY 1`,
      [schema],
    );
    expect(rows.map(({ name }) => name)).toEqual(UNLOGGED);
  });

  describe('a position', () => {
    const AT = { topic: 't', partition: 0 };

    async function bench() {
      const { store, schema } = await place.newStore();
      await store.positions([AT]);
      const move = (expected: bigint, next: bigint) =>
        store.ingest((tx) => tx.advance([{ ...AT, expected, next }]));
      const look = async (end: bigint, keepMs: number | null = 30 * DAY_MS, isOther = false) =>
        (await store.noteEnds([{ ...AT, end, keepMs, isOther }])).map(({ topic, partition }) => ({
          topic,
          partition,
        }));
      /** Time passes, as all that is stored sees it. */
      const pass = async (days: number): Promise<void> => {
        const ago = `interval '${days} days'`;
        await place.pool.query(`UPDATE ${schema}.position_end SET ended_at = ended_at - ${ago}`);
        await place.pool.query(`UPDATE ${schema}.position SET moved_at = moved_at - ${ago}`);
      };
      return { store, move, look, pass };
    }

    it('of an idle topic is not in doubt, however long nobody looked', async () => {
      const { move, look, pass } = await bench();
      await move(0n, 7n);
      expect(await look(7n)).toEqual([]);
      await pass(400);
      expect(await look(7n)).toEqual([]);
    });

    it('that read on for a moment after the last look, and then had nothing to read, is not in doubt', async () => {
      const { move, look, pass } = await bench();
      await look(0n);
      await move(0n, 7n);
      await pass(31);
      expect(await look(7n)).toEqual([]);
    });

    it('that is read to its end now and then is not in doubt', async () => {
      const { move, look, pass } = await bench();
      await look(0n);
      for (let i = 0n; i < 4n; i += 1n) {
        await pass(20);
        await move(i, i + 1n);
        expect(await look(i + 1n)).toEqual([]);
      }
    });

    it('that is behind for longer than deletes are kept is in doubt, and stays so once it has caught up', async () => {
      const { move, look, pass } = await bench();
      await move(0n, 7n);
      await look(7n);
      await pass(29);
      expect(await look(9n)).toEqual([]);
      await pass(2);
      expect(await look(9n)).toEqual([AT]);
      await move(7n, 9n);
      expect(await look(9n)).toEqual([AT]);
    });

    it('that caught up before anybody looked is in doubt all the same', async () => {
      const { move, look, pass } = await bench();
      await look(0n);
      await pass(31);
      await move(0n, 7n);
      expect(await look(7n)).toEqual([AT]);
    });

    it('in a log that was made anew stays in doubt once that has grown past it', async () => {
      const { move, look } = await bench();
      await move(0n, 7n);
      await look(7n);
      expect(await look(3n, null, true)).toEqual([AT]);
      expect(await look(9n)).toEqual([AT]);
    });

    it('in a topic that is not compacted is never in doubt', async () => {
      const { look, pass } = await bench();
      await look(0n, null);
      await pass(400);
      expect(await look(9n, null)).toEqual([]);
    });

    it('that was never at an end has as long as any other to get there', async () => {
      const { move, look, pass } = await bench();
      expect(await look(1_000n)).toEqual([]);
      await pass(29);
      await move(0n, 1_000n);
      expect(await look(1_000n)).toEqual([]);
    });

    it('is beyond doubt once its table was read again', async () => {
      const { store, move, look, pass } = await bench();
      await look(0n);
      await pass(31);
      expect(await look(9n)).toEqual([AT]);
      await store.resnapshots.create({
        id: 'a',
        dry: false,
        force: false,
        recapture: false,
        tables: ['batch_batch'],
      });
      await store.resnapshots.finish('a', 'batch_batch', AT.topic);
      await move(0n, 9n);
      expect(await look(9n)).toEqual([]);
    });
  });
});
