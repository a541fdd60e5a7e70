/** Orders of events between processes that a seed finds rarely: each once lost a row. */
import { expect, test } from 'vitest';
import { DAY_0, MemoryBench, ROWS } from '../support/memory-bench.ts';
import type { MemoryStore } from '../support/memory-store.ts';

/** A store whose transaction stands still just before it commits, until `go` is called. */
function standingBeforeCommit(bench: MemoryBench): { store: MemoryStore; go: () => void } {
  let go: () => void = () => undefined;
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });
  const store = bench.store((name, phase) =>
    name === 'recompute.commit' && phase === 'before' ? gone : undefined,
  );
  return { store, go };
}

async function twoStays(): Promise<MemoryBench> {
  const bench = new MemoryBench();
  await bench.ingest(
    ROWS.batch(),
    ROWS.assignment(),
    ROWS.assignment({ id: 2, container_id: 2, assignment_date: DAY_0 + 4, population_count: 0 }),
  );
  await bench.settle();
  return bench;
}

test('a transfer that arrives while its source is being written reaches its destination with the new weight', async () => {
  const bench = await twoStays();
  await bench.ingest(ROWS.sample());
  const { store, go } = standingBeforeCommit(bench);
  const source = bench.recompute([1], store);
  await bench.ingest(ROWS.transfer());
  await bench.recompute([2]);
  go();
  await source;
  await bench.settle();
  expect(bench.breach()).toBeNull();
});

test('a source that vanishes takes its weight with it, whoever is computed first', async () => {
  const bench = await twoStays();
  await bench.ingest(ROWS.sample(), ROWS.transfer());
  await bench.settle();
  await bench.ingest({ ...ROWS.assignment(), gone: true });
  await bench.recompute([2]);
  await bench.settle();
  expect(bench.breach()).toBeNull();
});

test('so does one whose batch vanishes', async () => {
  const bench = await twoStays();
  await bench.ingest(
    ROWS.batch({ id: 2 }),
    ROWS.assignment({ id: 1, batch_id: 2 }),
    ROWS.sample(),
    ROWS.transfer(),
  );
  await bench.settle();
  await bench.ingest({ ...ROWS.batch({ id: 2 }), gone: true });
  await bench.recompute([2]);
  await bench.settle();
  expect(bench.breach()).toBeNull();
});
