/** `npm run sim`: the simulator for longer than the tests have time for. */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { EXIT } from '../../src/runtime/exit-codes.ts';
import { outcomeOf, playSeeds, playSeedsApart, Tally } from '../support/sim-campaign.ts';
import type { Outcome } from '../support/sim-campaign.ts';
import { optionsOf } from '../support/sim-options.ts';
import { sabotagedOptionsOf, SABOTAGES } from '../support/sim-sabotage.ts';
import { shrinkSeed } from '../support/sim-shrink.ts';
import { tell } from '../support/sim-story.ts';
import type { WorldOptions } from '../support/sim-world.ts';

const HELP = `Plays seeded histories of the whole pipeline under faults, and looks at everything afterwards.

  npm run sim -- --minutes 30                 half an hour, other seeds each time
  npm run sim -- --minutes 30 --processes 2   the same on two cores
  npm run sim -- --from 1 --seeds 500         seeds 1 to 500
  npm run sim -- --steps 1000000              a million steps
  npm run sim -- --seed 77                    one seed: where it fails it is made small and told step by step
  npm run sim -- --sabotage 'lock on structure'   a system without that: which seed notices, and how

  --shrink-seconds N   for making each failing trace small (60)
  --json               the summary as JSON

Exits with 1 where a seed fails, or where a fault never struck in 300 seeds or more.
`;
const ENOUGH_TO_JUDGE = 300;
const MOST_FAILING = 5;
const MOST_SABOTAGED = 2_000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seeds: { type: 'string' },
    steps: { type: 'string' },
    seed: { type: 'string' },
    from: { type: 'string' },
    processes: { type: 'string', default: '1' },
    sabotage: { type: 'string' },
    'shrink-seconds': { type: 'string', default: '60' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

if (values.help) print(HELP);
else if (values.sabotage !== undefined) process.exitCode = await sabotage(values.sabotage);
else if (values.seed !== undefined) process.exitCode = await single(optionsOf(number(values.seed)));
else process.exitCode = await campaign();

function number(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  say(`not a number: ${text}`);
  process.exit(EXIT.usage);
}

async function campaign(): Promise<number> {
  const { minutes, seeds = minutes === undefined ? '300' : 'Infinity', steps = 'Infinity', from } = values;
  const first = from === undefined ? Math.floor(Math.random() * 1e9) : number(from);
  const most = { ms: Number(minutes ?? 'Infinity') * 60_000, seeds: Number(seeds), steps: Number(steps) };
  const processes = number(values.processes);
  const startMs = performance.now();
  const tally = new Tally();
  let saidMs = startMs;
  let stopped = false;
  process.once('SIGINT', () => (stopped = true));
  const isEnough = (outcome: Outcome): boolean => {
    tally.add(outcome);
    const now = performance.now();
    if (outcome.failure !== null) say(`seed ${outcome.seed} fails: ${outcome.failure}`);
    if (now - saidMs > 10_000) {
      saidMs = now;
      say(rates(tally, now - startMs));
    }
    const over = now - startMs >= most.ms || tally.seeds >= most.seeds || tally.steps >= most.steps;
    return over || stopped || tally.failing.length >= MOST_FAILING;
  };
  say(`seeds from ${first} on`);
  if (processes === 1) await playSeeds(first, 1, isEnough);
  else await playSeedsApart(new URL('worker.ts', import.meta.url), processes, first, isEnough);
  return summary(tally, first, performance.now() - startMs);
}

async function summary(tally: Tally, first: number, tookMs: number): Promise<number> {
  const { seeds, steps, calls, kills, failing, coverage } = tally;
  const never = seeds >= ENOUGH_TO_JUDGE ? coverage.missing() : [];
  if (values.json) {
    const stepsPerMinute = Math.round((steps / tookMs) * 60_000);
    const { counts } = coverage;
    print(
      JSON.stringify({ first, seeds, steps, calls, kills, tookMs, stepsPerMinute, failing, never, counts }),
    );
  } else {
    for (const [name, count] of Object.entries(coverage.counts))
      print(`${String(count).padStart(12)}  ${name}`);
    print(rates(tally, tookMs));
    for (const name of never) print(`never: ${name}`);
  }
  for (const { seed } of failing) await single(optionsOf(seed));
  return failing.length + never.length > 0 ? EXIT.failure : EXIT.ok;
}

function rates({ seeds, steps, calls, kills, failing }: Tally, tookMs: number): string {
  const perMinute = Math.round((steps / tookMs) * 60_000).toLocaleString('en');
  const seconds = Math.round(tookMs / 1000);
  const counts = `${steps.toLocaleString('en')} steps, ${calls.toLocaleString('en')} port calls, ${kills} deaths`;
  return `${seeds} seeds in ${seconds} s: ${counts}; ${perMinute} steps a minute; ${failing.length} failing`;
}

/** One seed; where it fails, its trace is made small and told. */
async function single(options: WorldOptions): Promise<number> {
  const untilMs = performance.now() + number(values['shrink-seconds']) * 1000;
  const shrunk = await shrinkSeed(options, () => performance.now() > untilMs);
  if (shrunk === null) {
    print(`seed ${options.seed}: nothing is wrong`);
    return EXIT.ok;
  }
  const { trace, from, tries, failure } = shrunk;
  print(`\nseed ${options.seed} fails: ${failure}`);
  print(`${from} steps, of which these ${trace.length} are enough (${tries} tried):\n`);
  for (const line of await tell(shrunk.options, trace)) print(line);
  print(`\nagain: npm run sim -- --seed ${options.seed}`);
  return EXIT.failure;
}

async function sabotage(part: string): Promise<number> {
  const found = Object.entries(SABOTAGES).find(([name]) => name.includes(part));
  if (found === undefined) {
    say(`no sabotage is called so; there are:\n  ${Object.keys(SABOTAGES).join('\n  ')}`);
    return EXIT.usage;
  }
  for (let seed = 1; seed <= MOST_SABOTAGED; seed += 1) {
    const options = sabotagedOptionsOf(seed, found[1]);
    if ((await outcomeOf(options)).failure !== null) return single(options);
  }
  print(`nobody notices when ${found[0]}`);
  return EXIT.ok;
}
