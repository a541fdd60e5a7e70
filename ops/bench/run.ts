/**
 * Runs benchmarks one after the other, each in a process of its own, and shows their figures: `npm run bench -- --help`.
 * A run of all of them at full size writes RESULTS.md; `--write` does so with a part of it.
 */
import { execFile, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import { text } from 'node:stream/consumers';
import { parseArgs, promisify } from 'node:util';
import Table from 'cli-table3';
import { EXIT } from '../../src/runtime/exit-codes.ts';
import { asCommand } from './as-command.ts';
import type { Bench, Figure } from './bench.ts';
import { BENCHES } from './list.ts';
import { HEAD, cellsOf, resultsPage } from './render.ts';
import type { Machine, Outcome } from './render.ts';

const RESULTS = new URL('RESULTS.md', import.meta.url);
const COMMAND = 'npm run bench';
const HELP = `Runs the benchmarks one after the other and shows their figures, each beside its limit.

  ${COMMAND} -- [options]

  --only NAMES   of these, apart by commas: ${BENCHES.map(({ name }) => name).join(', ')}
  --scale X      that share of the full size (1)
  --write        write their sections of ops/bench/RESULTS.md; a run of all at full size does so anyway

Those that need Kafka use the local stack where it runs (\`anchorline stack up\`), else bring up one of their own.

Examples:
  ${COMMAND}
  ${COMMAND} -- --only engine,recompute
  ${COMMAND} -- --only recompute --scale 0.1
  ${COMMAND} -- --only ingest --write`;

await asCommand(async () => {
  const { values: options } = parseArgs({
    options: {
      only: { type: 'string' },
      scale: { type: 'string', default: '1' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      // How a run starts each of its benchmarks.
      one: { type: 'string' },
    },
  });
  const scale = Number(options.scale);
  if (!(scale > 0)) throw new RangeError(`--scale: a number above 0 is expected, not ${options.scale}`);
  if (options.help) {
    console.log(HELP);
    return EXIT.ok;
  }
  if (options.one !== undefined) {
    console.log(JSON.stringify(await named(options.one).run({ scale, say })));
    return EXIT.ok;
  }
  const chosen = options.only === undefined ? BENCHES : options.only.split(',').map(named);
  return runAll(chosen, scale, options.write || (options.only === undefined && scale === 1));
});

/** The exit status. */
async function runAll(chosen: readonly Bench[], scale: number, write: boolean): Promise<number> {
  const before = write ? await readFile(RESULTS, 'utf8').catch(() => '') : '';
  const outcomes: Outcome[] = [];
  for (const bench of chosen) {
    say(`${bench.name}: ${bench.about}`);
    const outcome = await outcomeOf(bench, scale);
    outcomes.push(outcome);
    if (outcome.failure === null) console.log(tableOf(outcome.figures));
    else say(`${bench.name} failed: ${outcome.failure}`);
    if (!write) continue;
    // After each: what was measured is not lost with what fails later.
    const names = BENCHES.map(({ name }) => name);
    await writeFile(RESULTS, resultsPage(await machine(), names, outcomes, before));
  }
  return outcomes.some(({ failure }) => failure !== null) ? EXIT.failure : EXIT.ok;
}

function named(name: string): Bench {
  const bench = BENCHES.find((one) => one.name === name);
  if (bench === undefined) throw new RangeError(`no benchmark is named ${name}: --help lists them`);
  return bench;
}

/** In a process of its own: no benchmark finds the heap of another. */
async function outcomeOf({ name, about }: Bench, scale: number): Promise<Outcome> {
  const load = loadavg()[0] ?? 0;
  const start = performance.now();
  const args = [import.meta.filename, '--one', name, '--scale', String(scale)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [output, status] = await Promise.all([text(child.stdout), ended]);
  const failed = status !== 0;
  return {
    bench: { name, about },
    command: `${COMMAND} -- --only ${name}${scale === 1 ? '' : ` --scale ${scale}`}`,
    date: new Date().toISOString().slice(0, 10),
    commit: await first('git', ['rev-parse', '--short', 'HEAD']),
    load,
    seconds: (performance.now() - start) / 1_000,
    figures: failed ? [] : (JSON.parse(output) as Figure[]),
    failure: failed ? `it ended with ${status}` : null,
  };
}

function tableOf(figures: readonly Figure[]): string {
  const table = new Table({
    head: [...HEAD],
    colAligns: ['left', 'right', 'right', 'left', 'left'],
    style: { head: [], border: [] },
  });
  table.push(...figures.map(cellsOf));
  return table.toString();
}

async function machine(): Promise<Machine> {
  return {
    cores: `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'})`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${type()} ${release()}`,
    versions: [`Node ${process.version}`, await first('java', ['--version'])],
  };
}

/** The first line that a command says; what is not installed is said to be so. */
async function first(command: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, [...args]);
    return stdout.split('\n')[0] ?? '';
  } catch {
    return `no ${command}`;
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
