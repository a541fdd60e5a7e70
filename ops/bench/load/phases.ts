/** What is done to the farm, one after the other: nothing, as much as it takes, half of that, all of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../../test/support/pipeline-wait.ts';
import { waitingRows } from './backlog.ts';
import type { Backlog, BacklogMeter } from './backlog.ts';
import type { Followed, Probes } from './probes.ts';
import type { Writer } from './writer.ts';

export interface Tools {
  readonly writer: Writer;
  readonly meter: BacklogMeter;
  readonly probes: Probes;
  readonly say: (line: string) => void;
}

export interface Loaded extends Followed {
  /** Rows a second that were written, and ingested. */
  readonly written: number;
  readonly ingested: number;
  /** By which the rows that wait grew, rows/s. */
  readonly growth: number;
  readonly largest: Pick<Backlog, 'dirtAgeMs' | 'unpublished'> & { readonly waiting: number };
}

const WARM_UP = 3;
const ARRIVE_MS = 60_000;
/** At idle; such a change counts as not seen, and is left behind. */
const LATE_MS = 20_000;
const MOST_LATE = 3;
const DRAIN_MS = 300_000;
const LOOK_MS = 250;
/** Probes, on average. */
const PROBE_EVERY_MS = 100;
const TELL_EVERY_MS = 15_000;
/** While the capacity is measured, so many wait: enough for every part to have work, little enough to drain soon. */
const WAITING = 15_000;
/** A rate at which no more than this share of it is left over is sustained. */
const LEFT_OVER = 0.03;
const LESS = 0.87;
const TRIES = 6;

/** One change at a time, out of step with every poll there is. */
export async function idle({ probes, say }: Tools, changes: number): Promise<Followed> {
  await warmUp(probes);
  for (let [i, late] = [0, 0]; i < changes; i += 1) {
    if (!(await oneArrives(probes, LATE_MS))) {
      late += 1;
      say(`  a change is late: ${probes.missing}`);
      if (late > MOST_LATE) throw new Error(`${late} changes did not arrive within ${LATE_MS} ms each`);
    }
    await sleep(50 + Math.random() * 200);
  }
  return probes.take();
}

/** The first few find caches cold, and a consumer that does not know yet where it begins. */
async function warmUp(probes: Probes): Promise<void> {
  for (let tries = 0; probes.arrived < WARM_UP; tries += 1) {
    if (tries === 4 * WARM_UP) throw new Error(`no change arrives: ${probes.missing}`);
    await oneArrives(probes, 5_000);
  }
  await probes.take();
}

async function oneArrives(probes: Probes, limitMs: number): Promise<boolean> {
  const before = probes.arrived;
  await probes.send();
  for (const end = performance.now() + limitMs; performance.now() < end; await sleep(10)) {
    if (probes.arrived > before) return true;
  }
  return false;
}

/** Rows a second that are ingested while there is always more: what full load is looked for from. */
export async function capacity({ writer, meter, say }: Tools, seconds: number): Promise<number> {
  const run = async (ms: number): Promise<Backlog> => {
    const end = performance.now() + ms;
    for (;;) {
      const now = await meter.look();
      if (now.atMs >= end) return now;
      writer.rate = waitingRows(now) < WAITING ? Infinity : 0;
      await sleep(20);
    }
  };
  // Code that is run for the first time is slow, and so is a table that grows from nothing.
  const from = await run(seconds * 400);
  const to = await run(seconds * 1_000);
  writer.rate = 0;
  const rate = perSecond(from, to, 'ingested');
  say(`with work waiting all the time ${Math.round(rate)} rows/s are ingested`);
  await drained(meter);
  return rate;
}

/** The highest rate tried that leaves nothing over. */
export async function sustained(tools: Tools, from: number, seconds: number): Promise<number> {
  let rate = from;
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const { growth, written } = await underLoad(tools, rate, seconds * 1_000, { probed: false });
    await drained(tools.meter);
    tools.say(`${Math.round(written)} rows/s: what waits changes by ${Math.round(growth)} rows/s`);
    if (growth <= rate * LEFT_OVER) return Math.min(rate, written);
    rate *= LESS;
  }
  throw new Error(`lag grows even at ${Math.round(rate / LESS)} rows/s`);
}

/** Writes at the rate for that long, from an empty backlog on, and follows single changes meanwhile. */
export async function underLoad(
  tools: Tools,
  rate: number,
  ms: number,
  { probed }: { readonly probed: boolean },
): Promise<Loaded> {
  const { writer, meter, probes, say } = tools;
  const looks: Backlog[] = [];
  writer.rate = rate;
  const until = performance.now() + ms;
  let tellMs = performance.now() + TELL_EVERY_MS;
  const probing = probed ? probeUntil(probes, until) : Promise.resolve();
  while (performance.now() < until) {
    await sleep(LOOK_MS);
    const look = await meter.look();
    looks.push(look);
    if (look.atMs < tellMs) continue;
    tellMs = look.atMs + TELL_EVERY_MS;
    const left = Math.round((until - look.atMs) / 1_000);
    say(`  ${waitingRows(look)} rows wait, ${look.dirty} assignments are dirty, ${left} s left`);
  }
  await probing;
  const arrived = (): boolean => probes.underWay === 0;
  if (probed) await eventually('the last changes arrive', ARRIVE_MS, arrived).catch(() => undefined);
  writer.rate = 0;
  const followed = probed ? await probes.take() : { seen: [], lost: 0 };
  return { ...followed, ...summary(looks) };
}

export async function drained(meter: BacklogMeter): Promise<void> {
  await eventually('the backlog is worked off', DRAIN_MS, async () => {
    const look = await meter.look();
    return waitingRows(look) === 0 && look.dirty === 0 && look.unpublished === 0;
  });
}

async function probeUntil(probes: Probes, until: number): Promise<void> {
  while (performance.now() < until) {
    await probes.send();
    await sleep(2 * PROBE_EVERY_MS * Math.random());
  }
}

/** Single looks meet a batch before or after its commit: what waits is compared by means of a third each. */
function summary(looks: readonly Backlog[]): Omit<Loaded, keyof Followed> {
  const third = Math.floor(looks.length / 3);
  const [early, late] = [looks.slice(third, 2 * third), looks.slice(-third)];
  const [from, to] = [looks[third]!, looks.at(-1)!];
  const apart = mean(late.map(({ atMs }) => atMs)) - mean(early.map(({ atMs }) => atMs));
  return {
    written: perSecond(from, to, 'written'),
    ingested: perSecond(from, to, 'ingested'),
    growth: (1_000 * (mean(late.map(waitingRows)) - mean(early.map(waitingRows)))) / apart,
    largest: {
      waiting: Math.max(...looks.map(waitingRows)),
      dirtAgeMs: Math.max(...looks.map(({ dirtAgeMs }) => dirtAgeMs)),
      unpublished: Math.max(...looks.map(({ unpublished }) => unpublished)),
    },
  };
}

function perSecond(from: Backlog, to: Backlog, of: 'written' | 'ingested'): number {
  return (1_000 * (to[of] - from[of])) / (to.atMs - from.atMs);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
