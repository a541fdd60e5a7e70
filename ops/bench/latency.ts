/**
 * How long a single change takes from its commit to the topic, by stage, at idle, at half and at full load, and what
 * the processes hold in memory at full load: `node ops/bench/latency.ts --help`.
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import type { Bench, Figure } from './bench.ts';
import { figuresOf } from './load/figures.ts';
import { measureLoad } from './load/measure.ts';
import type { LoadOptions } from './load/measure.ts';

const MINUTES = 3;
const DEFAULTS = { changes: 60, halfSeconds: 45, fullSeconds: MINUTES * 60, searchSeconds: 10 };

const HELP = `Follows single changes from their commit at the source to a read-committed consumer of daily-state, by stage, at idle, at
half and at full load, all roles in one process. Full load is the highest rate of changed rows at which nothing is left
over: it is looked for from the rate that is ingested while there is always more. Half is half of it.

  npm run bench:latency -- [options]

  --minutes X    at full load (${MINUTES}); 60 for what memory does in an hour
  --rate N       full load in rows/s, so that runs can be compared; not looked for then
  --scale X      that share of the farm's 40 batches (1)
  --set N=V      a setting's variable and value, as often as wanted
  --cpu-prof DIR writes a CPU profile of the process to the folder
  --json         the figures as JSON

Uses the local stack where it runs (\`anchorline stack up\`), else brings up one of its own. Takes about three minutes on
top of --minutes. A farm, connector, topics and schema are made for it and removed in the end.

Examples:
  npm run bench:latency
  npm run bench:latency -- --minutes 60
  npm run bench:latency -- --minutes 1 --rate 4000 --set ANCHORLINE_RECOMPUTE_TRANSACTION_WAIT_MS=0`;

export const latencyBench: Bench = {
  name: 'latency',
  about:
    'Single changes from commit to daily-state by stage, at idle, half and full load; memory at full load.',
  run: async ({ scale, say }) =>
    figuresOf(
      await measureLoad({
        ...DEFAULTS,
        scale: 1,
        changes: Math.max(10, Math.round(DEFAULTS.changes * scale)),
        halfSeconds: Math.max(10, DEFAULTS.halfSeconds * scale),
        fullSeconds: Math.max(10, DEFAULTS.fullSeconds * scale),
        rate: null,
        env: {},
        nodeOptions: '',
        say,
      }),
    ),
};

if (import.meta.main) await main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: String(MINUTES) },
      rate: { type: 'string' },
      scale: { type: 'string', default: '1' },
      set: { type: 'string', multiple: true, default: [] },
      'cpu-prof': { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const profile = values['cpu-prof'];
  const options: LoadOptions = {
    ...DEFAULTS,
    scale: above0('scale', values.scale),
    fullSeconds: 60 * above0('minutes', values.minutes),
    rate: values.rate === undefined ? null : above0('rate', values.rate),
    env: Object.fromEntries(values.set.map(setting)),
    nodeOptions: profile === undefined ? '' : `--cpu-prof --cpu-prof-dir=${profile}`,
    say: (line) => void process.stderr.write(`${line}\n`),
  };
  const figures = figuresOf(await measureLoad(options));
  console.log(values.json ? JSON.stringify(figures, null, 2) : tableOf(figures));
}

function above0(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new RangeError(`--${name}: a number above 0 is expected, not ${text}`);
  return value;
}

function setting(text: string): [string, string] {
  const [name = '', ...value] = text.split('=');
  if (!name.startsWith('ANCHORLINE_') || value.length === 0) {
    throw new RangeError(`--set: ANCHORLINE_NAME=VALUE is expected, not ${text}`);
  }
  return [name, value.join('=')];
}

function tableOf(figures: readonly Figure[]): string {
  const table = new Table({ head: ['what', 'measured', 'aim', 'note'], style: { head: [], border: [] } });
  for (const { what, value, unit, aim, note } of figures) {
    const number = value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1);
    const met = aim === undefined ? '' : `${aim.text}: ${aim.met ? 'met' : 'missed'}`;
    table.push([what, `${number} ${unit}`, met, note ?? '']);
  }
  return table.toString();
}
