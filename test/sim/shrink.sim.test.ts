/** A seed that fails is of use where it can be played again, made small and read. */
import { describe, expect, test } from 'vitest';
import { optionsOf, raceOptionsOf } from '../support/sim-options.ts';
import { replay, runSeed } from '../support/sim-run.ts';
import { SABOTAGES } from '../support/sim-sabotage.ts';
import { shrinkSeed } from '../support/sim-shrink.ts';
import { tell } from '../support/sim-story.ts';
import type { TraceEntry } from '../support/sim-trace.ts';

const sabotage = SABOTAGES['dirt is appended after the commit of the facts'];
if (sabotage === undefined) throw new RangeError('no such sabotage');
const broken = { ...raceOptionsOf(1), sabotage };

describe('the same again', () => {
  test.each([1, 2, 3])('seed %i', async (seed) => {
    const first: TraceEntry[] = [];
    const second: TraceEntry[] = [];
    const result = await runSeed(optionsOf(seed), first);
    expect(await runSeed(optionsOf(seed), second)).toEqual(result);
    expect(second).toEqual(first);
  });

  test('a trace played again takes the very steps', async () => {
    const trace: TraceEntry[] = [];
    const { steps, calls, kills } = await runSeed(raceOptionsOf(3), trace);
    expect(await replay(raceOptionsOf(3), trace)).toMatchObject({ steps, calls, kills });
  });

  test('a trace played again fails as it did', async () => {
    const trace: TraceEntry[] = [];
    const reasonOf = (error: unknown): string => (error as { reason: string }).reason;
    const reason = await runSeed(broken, trace).then(() => '', reasonOf);
    expect(reason).toMatch(/differ/);
    expect(await replay(broken, trace).then(() => '', reasonOf)).toBe(reason);
  });
});

describe('made small', () => {
  test('nothing is left that the failure does not need', async () => {
    const shrunk = await shrinkSeed(broken, () => false);
    expect(shrunk?.from).toBeGreaterThan(1_000);
    expect(shrunk?.trace.length).toBeLessThan(100);
    const told = await tell(shrunk?.options ?? broken, shrunk?.trace ?? []);
    expect(told.at(-1)).toBe(`⚡ ${shrunk?.failure}`);
  });

  test('a seed that holds is none', async () => {
    expect(await shrinkSeed(raceOptionsOf(1), () => false)).toBeNull();
  });
});
