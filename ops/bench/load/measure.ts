/** The whole measurement: a farm of its own on the stack, all roles in one process, and what it says under load. */
import { stackEndpoints } from '../../../src/stack/config.ts';
import { stackStatus } from '../../../src/stack/stack.ts';
import { runningStack } from '../bench-stack.ts';
import { BacklogMeter } from './backlog.ts';
import { MemoryWatch } from './memory.ts';
import type { MemoryOfProcess } from './memory.ts';
import { capacity, drained, idle, sustained, underLoad } from './phases.ts';
import type { Loaded } from './phases.ts';
import { Probes } from './probes.ts';
import type { Followed } from './probes.ts';
import { openWorld } from './world.ts';
import type { World } from './world.ts';
import { Writer, prepareWriting, probedStays } from './writer.ts';

export interface LoadOptions {
  /** Share of the farm's batches. */
  readonly scale: number;
  /** Changes followed while nothing else happens. */
  readonly changes: number;
  readonly halfSeconds: number;
  readonly fullSeconds: number;
  /** Full load in rows/s; null: it is looked for. */
  readonly rate: number | null;
  readonly searchSeconds: number;
  /** Settings that differ from the defaults. */
  readonly env: Readonly<Record<string, string>>;
  /** Options of the process's Node. */
  readonly nodeOptions: string;
  readonly say: (line: string) => void;
}

export interface LoadReport {
  /** Rows/s ingested while there was always more; null where the rate was given. */
  readonly capacity: number | null;
  readonly rate: number;
  readonly idle: Followed;
  readonly half: Loaded;
  readonly full: Loaded;
  /** While at full load. */
  readonly memory: readonly MemoryOfProcess[];
}

const MEMORY_EVERY_MS = 1_000;

export async function measureLoad(options: LoadOptions): Promise<LoadReport> {
  await using cleanUp = new AsyncDisposableStack();
  // Who is interrupted removes what was made all the same.
  return await Promise.race([measure(options, cleanUp), interrupted()]);
}

function interrupted(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => reject(new Error(`ended by ${signal}`)));
    }
  });
}

async function measure(options: LoadOptions, cleanUp: AsyncDisposableStack): Promise<LoadReport> {
  const { say } = options;
  const stack = await runningStack(cleanUp, say);
  const world = await openWorld({ ...options, endpoints: stackEndpoints(stack) }, cleanUp);
  await prepareWriting(world);
  const probes = cleanUp.use(await Probes.open(world, probedStays(world)));
  const writer = cleanUp.use(await Writer.open(world));
  const meter = await BacklogMeter.open(world.farm, () => writer.rows + probes.sent);
  const tools = { writer, meter, probes, say };
  let worked = false;
  // Before all is removed: what only the store and the process's log can tell of a failure.
  cleanUp.defer(async () => {
    if (worked) return;
    say(`${await whatWaits(world)}\n${world.process.complaints.join('\n')}`);
  });
  say(`idle: ${options.changes} changes`);
  const idled = await idle(tools, options.changes);
  const most = options.rate === null ? await capacity(tools, options.searchSeconds) : null;
  const rate = options.rate ?? (await sustained(tools, (most ?? 0) * 0.95, options.searchSeconds));
  say(`half load: ${Math.round(rate / 2)} rows/s for ${options.halfSeconds} s`);
  const half = await underLoad(tools, rate / 2, options.halfSeconds * 1_000, { probed: true });
  await drained(meter);
  say(`full load: ${Math.round(rate)} rows/s for ${options.fullSeconds} s`);
  const pids = new Map([['anchorline', world.process.pid]]);
  for (const { component, pid } of await stackStatus(stack)) {
    // Postgres is many processes which share most of what each is shown to have.
    if (pid !== null && component !== 'postgres') pids.set(component, pid);
  }
  using memory = new MemoryWatch(pids, MEMORY_EVERY_MS);
  const full = await underLoad(tools, rate, options.fullSeconds * 1_000, { probed: true });
  const { processes } = memory;
  say('draining, and removing what was made');
  await drained(meter);
  worked = true;
  await world.process.stop();
  return { capacity: most, rate, idle: idled, half, full, memory: processes };
}

async function whatWaits({ farm }: World): Promise<string> {
  const tables = ['dirt', 'transaction_part', 'transaction_end', 'publication_log', 'parked'];
  const counts = tables.map((table) => `(select count(*)::integer from ${table}) as ${table}`);
  return `waiting in the store: ${JSON.stringify(await farm.inStore(`select ${counts.join(', ')}`))}`;
}
