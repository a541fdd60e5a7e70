import { describe, expect, test } from 'vitest';
import { FencedError, UnpublishableError } from '../../src/domain/errors.ts';
import type { PublicationBatch, UnpublishedAssignment } from '../../src/domain/ports.ts';
import { relayOnce, runRelay } from '../../src/publish/relay.ts';
import type { FencedTopic, RelayDeps, RelayEvents } from '../../src/publish/relay.ts';
import { ENDLESS } from '../../src/runtime/retry.ts';
import { DAY_0, MemoryBench, ROWS } from '../support/memory-bench.ts';
import { CommittedLog } from '../support/sim-topics.ts';

const OPTIONS = {
  shard: 0,
  shards: 1,
  batchEntries: 10,
  leaseMs: 1_000,
  pollMs: 10,
  standByMs: 10,
  stopMs: 777,
  backoff: { ...ENDLESS, jitter: 0 },
  owner: 'a',
};

const NO_EVENTS: RelayEvents = {
  leader: () => undefined,
  standsBy: () => undefined,
  published: () => undefined,
  setAside: () => undefined,
  fenced: () => undefined,
  failed: () => undefined,
};

async function published(): Promise<{ bench: MemoryBench; log: CommittedLog; deps: RelayDeps }> {
  const bench = new MemoryBench();
  await bench.ingest(ROWS.batch(), ROWS.assignment({ departure_date: DAY_0 + 3 }));
  await bench.settle();
  const log = new CommittedLog();
  return { bench, log, deps: depsOf(bench, log) };
}

/** Time stands still, but nobody waits for it; the time to end in order never runs out. */
const sleep = (ms: number): Promise<void> =>
  ms === OPTIONS.stopMs ? new Promise<never>(() => undefined) : Promise.resolve();

function depsOf(bench: MemoryBench, log: CommittedLog, overrides: Partial<RelayDeps> = {}): RelayDeps {
  return {
    store: bench.store(),
    topic: log.producer(0, () => Promise.resolve()),
    clock: { nowMs: () => bench.nowMs, sleep },
    events: NO_EVENTS,
    waitForWork: () => Promise.resolve(),
    ...overrides,
  };
}

describe('one round', () => {
  test('publishes the rows as they stand and settles what it read', async () => {
    const { bench, log, deps } = await published();
    await deps.topic.open();
    expect(await relayOnce(deps, OPTIONS)).toBe(3);
    expect(
      log.messages.map(({ assignmentId, day, row }) => [assignmentId, day - DAY_0, row?.population]),
    ).toEqual([
      [1, 0, 1000],
      [1, 1, 1000],
      [1, 2, 1000],
    ]);
    expect(bench.db.publications.committed.size).toBe(0);
    expect(await relayOnce(deps, OPTIONS)).toBe(0);
  });

  test('publishes null for a day that has no row any more', async () => {
    const { bench, log, deps } = await published();
    await deps.topic.open();
    await relayOnce(deps, OPTIONS);
    await bench.ingest(ROWS.assignment({ departure_date: DAY_0 + 2 }));
    await bench.settle();
    await relayOnce(deps, OPTIONS);
    expect(log.messages.slice(3)).toEqual([{ assignmentId: 1, day: DAY_0 + 2, row: null }]);
  });

  test('leaves entries that came while it published', async () => {
    const { bench, log, deps } = await published();
    await deps.topic.open();
    const during = {
      ...deps.topic,
      publish: async (batches: readonly PublicationBatch[]) => {
        await deps.topic.publish(batches);
        await bench.ingest(ROWS.sample({ sample_date: DAY_0 + 1 }));
        await bench.settle();
      },
    };
    await relayOnce({ ...deps, topic: during }, OPTIONS);
    expect(bench.db.publications.committed.size).toBe(1);
    await relayOnce(deps, OPTIONS);
    expect(log.messages.at(-1)?.row).toMatchObject({ avgWeightG: 12.5 });
  });

  test('that dies before it settles is repeated with the same revision', async () => {
    const { bench, log, deps } = await published();
    await deps.topic.open();
    const store = bench.store((name) => {
      if (name === 'settlePublications') throw new Error('gone');
      return undefined;
    });
    await expect(relayOnce({ ...deps, store }, OPTIONS)).rejects.toThrow('gone');
    const successor = depsOf(bench, log);
    await successor.topic.open();
    await relayOnce(successor, OPTIONS);
    expect(log.messages.slice(3)).toEqual(log.messages.slice(0, 3));
  });

  test('parks an assignment that cannot be published, and publishes the others; new dirt is another try', async () => {
    const { bench, log, deps } = await published();
    await bench.ingest(ROWS.assignment({ id: 2, container_id: 2, departure_date: DAY_0 + 3 }));
    await bench.settle();
    await deps.topic.open();
    const misfit: FencedTopic = {
      ...deps.topic,
      publish: (batches) => {
        const bad = batches.find(({ assignmentId }) => assignmentId === 1);
        if (bad === undefined) return deps.topic.publish(batches);
        return Promise.reject(new UnpublishableError('assignment 1', new TypeError('no such branch')));
      },
    };
    const aside: UnpublishedAssignment[] = [];
    const events = {
      ...NO_EVENTS,
      setAside: (_: number, one: UnpublishedAssignment) => void aside.push(one),
    };
    await relayOnce({ ...deps, events, topic: misfit }, OPTIONS);
    expect(new Set(log.messages.map(({ assignmentId }) => assignmentId))).toEqual(new Set([2]));
    expect(aside).toMatchObject([{ assignmentId: 1, code: 'PUB003' }]);
    expect(bench.db.parked.committed.get(1)).toMatchObject({ code: 'PUB003' });
    expect(await relayOnce({ ...deps, topic: misfit }, OPTIONS)).toBe(0);
    await bench.ingest(ROWS.sample({ sample_date: DAY_0 + 1 }));
    await bench.settle();
    await relayOnce(deps, OPTIONS);
    expect(log.messages.filter(({ assignmentId }) => assignmentId === 1)).toHaveLength(3);
    expect(bench.db.publications.committed.size).toBe(0);
  });

  test('of a predecessor that stood still is refused', async () => {
    const { bench, log, deps } = await published();
    await deps.topic.open();
    const successor = depsOf(bench, log);
    await successor.topic.open();
    await expect(relayOnce(deps, OPTIONS)).rejects.toThrow(FencedError);
    expect(log.messages).toEqual([]);
  });
});

describe('a shard', () => {
  test('is led by one, and by the next when the lease runs out; the first is fenced and stands by', async () => {
    const { bench, log } = await published();
    const ended = new AbortController();
    const events: string[] = [];
    const named = (owner: string): RelayDeps =>
      depsOf(bench, log, {
        events: {
          leader: (_shard, leading) => events.push(`${owner} ${leading ? 'leads' : 'stands by'}`),
          standsBy: () => undefined,
          setAside: () => undefined,
          published: () => {
            events.push(`${owner} published`);
            if (owner === 'b') ended.abort();
          },
          fenced: () => events.push(`${owner} is fenced`),
          failed: (_shard, error) => events.push(`${owner} failed: ${String(error)}`),
        },
      });
    let frozen: () => void = () => undefined;
    const a = named('a');
    const standing: RelayDeps = {
      ...a,
      topic: {
        ...a.topic,
        publish: async (batches) => {
          await new Promise<void>((resolve) => {
            frozen = resolve;
          });
          await a.topic.publish(batches);
        },
      },
    };
    const first = runRelay(standing, OPTIONS, ended.signal);
    await new Promise((resolve) => setImmediate(resolve));
    bench.nowMs += 2_000;
    const second = runRelay(named('b'), { ...OPTIONS, owner: 'b' }, ended.signal);
    await second;
    frozen();
    await first;
    expect(events.slice(0, 5)).toEqual(['a leads', 'b leads', 'b published', 'b stands by', 'a stands by']);
    expect(log.messages).toHaveLength(3);
  });

  /** Runs a shard until an event says `end`; returns what it told. */
  async function told(
    overrides: (told: string[], end: () => void) => Partial<RelayDeps>,
    world?: { bench: MemoryBench; log: CommittedLog },
  ): Promise<string[]> {
    const { bench, log } = world ?? (await published());
    const ended = new AbortController();
    const events: string[] = [];
    const end = (): void => ended.abort();
    const deps = depsOf(bench, log, {
      events: {
        leader: (_shard, leading) => void events.push(leading ? 'leads' : 'no longer leads'),
        standsBy: () => {
          events.push('stands by');
          end();
        },
        published: () => void events.push('published'),
        setAside: () => void events.push('set aside'),
        fenced: () => void events.push('fenced'),
        failed: (_shard, error, delayMs) => void events.push(`${String(error)} ${delayMs}`),
      },
      ...overrides(events, end),
    });
    await runRelay(deps, OPTIONS, ended.signal);
    return events;
  }

  test('is said to lead only once its predecessors are fenced, and waits longer after each failure', async () => {
    let opened = 0;
    const events = await told((_, end) => ({
      topic: {
        open: () => {
          opened += 1;
          if (opened === 4) end();
          return Promise.reject(new Error('no broker'));
        },
        publish: () => Promise.resolve(),
        close: () => Promise.resolve(),
      },
    }));
    expect(events).toEqual(['Error: no broker 100', 'Error: no broker 200', 'Error: no broker 400']);
  });

  test('is not led on a lease that ran out while predecessors were fenced', async () => {
    const { bench, log } = await published();
    const events = await told(
      () => ({
        topic: {
          ...log.producer(0, () => Promise.resolve()),
          open: async () => {
            bench.nowMs += 5_000;
            await bench.store().acquireLease('publish-0', 'b', 60_000);
          },
        },
      }),
      { bench, log },
    );
    expect(events).toEqual(['stands by']);
    expect(log.messages).toEqual([]);
  });

  test('ends when it is told to, though a statement or a send never does', async () => {
    const never = new Promise<never>(() => undefined);
    expect(
      await told((events, end) => {
        setImmediate(end);
        const topic = { open: () => never, publish: () => never, close: () => Promise.resolve() };
        return { topic, events: { ...NO_EVENTS, failed: (_, error) => void events.push(String(error)) } };
      }),
    ).toEqual([]);
  });
});
