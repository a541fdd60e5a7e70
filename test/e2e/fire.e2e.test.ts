/**
 * A farm is written to at random while everything around and of the pipeline fails at random, both from a seed. After some
 * quiet the table must equal one pass over the rows of the farm's own database, and the topic the table.
 * `npm run test:fire -- --minutes 10 --seed 7` keeps it up for longer.
 */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { Faults, crew } from '../support/fire-faults.ts';
import type { FireWorld } from '../support/fire-faults.ts';
import { History, POISON, RAISE_IDENTITIES } from '../support/fire-history.ts';
import { FireProxy } from '../support/fire-proxy.ts';
import { problemsOf } from '../support/pipeline-check.ts';
import { FARM_HORIZON, farmRows } from '../support/pipeline-farm.ts';
import { Pipeline, urlOf } from '../support/pipeline.ts';
import { startPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { Random } from '../support/sim-random.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { endpointsOf, providerOf } from '../support/stack-provider.ts';

const plan = inject('stack');
const provider = providerOf(plan);
const SECONDS = Number(process.env['FIRE_SECONDS'] ?? 45);
const SEED = Number(process.env['FIRE_SEED'] ?? 1);
const SETTLE_MS = 300_000;
const PAUSE_MS = 1_500;

let disk: SmallDisk;
let store: PostgresServer;
let proxy: FireProxy;
let farm: Pipeline;

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

beforeAll(async () => {
  disk = new SmallDisk();
  store = await startPostgres(
    { max_wal_size: '256MB', wal_recycle: 'off', max_connections: '200' },
    disk.folder,
  );
  const { host, port, user, database } = store;
  proxy = await FireProxy.before(host, port);
  const statePg = { host, port, user, password: '', database };
  farm = await Pipeline.open({
    endpoints: { ...endpointsOf(plan), statePg },
    name: 'fire',
    generation: 'newer',
    horizon: FARM_HORIZON,
    env: { ANCHORLINE_STORE_URL: urlOf({ ...statePg, port: proxy.port }), ANCHORLINE_RECOMPUTE_TRIES: '5' },
  });
  await farm.write(farmRows('newer'));
  await farm.source.query(RAISE_IDENTITIES);
  await farm.deploy();
});

afterAll(async () => {
  disk?.free();
  proxy.weather = 'fine';
  await provider.start();
  await store?.restart();
  await farm?.reconnect();
  await farm?.[Symbol.asyncDispose]();
  await proxy?.[Symbol.asyncDispose]();
  await store?.[Symbol.asyncDispose]();
  disk?.[Symbol.dispose]();
});

/** Goes on through whatever happens to the farm's database; what was refused there is told. */
async function writeUntil(ended: () => boolean, history: History, random: Random): Promise<string[]> {
  const refused: string[] = [];
  while (!ended()) {
    const { name, statements } = history.next();
    try {
      await farm.write(statements.join('; '));
    } catch (error) {
      const cause = (error as Error).cause as { code?: string } | undefined;
      // Of class 22 or 23: the statement itself is wrong, and nothing else is.
      if (/^2[23]/.test(cause?.code ?? '') || cause?.code?.startsWith('42') === true) {
        refused.push(`${name}: ${String((error as Error).cause)}: ${statements.join('; ')}`);
      } else await farm.reconnect().catch(() => wait(200));
    }
    if (random.chance(0.4)) await wait(random.int(0, 60));
  }
  return refused;
}

test(
  `seed ${SEED}: whatever fails for ${SECONDS} s, the table equals one pass over the farm's rows, and the topic the table`,
  async () => {
    const random = new Random(SEED);
    const world: FireWorld = {
      farm,
      provider,
      store,
      proxy,
      disk,
      random: random.fork(),
      wait,
      starting: [],
    };
    const history = new History(random.fork());
    const faults = new Faults(world);
    crew(world);
    await Promise.all(world.starting);
    for (const { statement } of POISON) await farm.write(statement);

    let over = false;
    const writing = writeUntil(() => over, history, random.fork());
    const untilMs = Date.now() + SECONDS * 1_000;
    try {
      while (Date.now() < untilMs || faults.left > 0) {
        const name = await faults.next();
        process.stderr.write(`fire: ${name}; ${farm.running.length} processes\n`);
        await wait(world.random.int(0, PAUSE_MS));
      }
    } finally {
      over = true;
    }
    expect(await writing).toEqual([]);

    await provider.start();
    await Promise.all(world.starting);
    await farm.reconnect();
    crew(world);
    await Promise.all(world.starting);
    await farm.settled(SETTLE_MS);
    const told = (counts: ReadonlyMap<string, number>): string =>
      [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
    process.stderr.write(
      `fire: seed ${SEED}; faults: ${told(faults.counts)}; COMMITs cut: ${proxy.commitsCut}\n`,
    );
    process.stderr.write(`fire: transactions: ${told(history.counts)}\n`);
    expect(proxy.commitsCut).toBeGreaterThan(0);
    expect(
      await problemsOf(
        farm,
        POISON.map(({ letter }) => letter),
      ),
    ).toEqual([]);
  },
  SECONDS * 1_000 + 900_000,
);
