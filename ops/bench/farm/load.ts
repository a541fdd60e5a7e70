/**
 * A farm into a source database, for a connector to capture: `node ops/bench/farm/load.ts --help`.
 * What is loaded before the connector comes is carried by its snapshot, what is loaded after by its stream.
 */
import { parseArgs } from 'node:util';
import pg from 'pg';
import { createSourceSchema } from '../../../src/demo/source-database.ts';
import { dayToIso, isoToDay } from '../../../src/domain/day.ts';
import type { Day } from '../../../src/domain/day.ts';
import { EXIT } from '../../../src/runtime/exit-codes.ts';
import { asCommand } from '../as-command.ts';
import type { Transaction } from './change.ts';
import { farmTransactions } from './farm.ts';
import { joined } from './net-effect.ts';
import { FIRST_DAY, SCALE_HELP, SCALE_OPTIONS, lastDayOf, scaleFrom } from './scale.ts';
import { loadSource } from './source.ts';

const HELP = `Makes a farm from a seed and loads it into a source database of AquaMind's newer schema.

  node ops/bench/farm/load.ts --url postgres://… [options]

  --url URL      the database; its tables must be empty where the farm begins
  --create       make the captured tables first
  --until DATE   only what was entered up to the day
  --from DATE    only what was entered from the day on; the rest must have been loaded with the same options
  --daily        a transaction for each batch's day, as a farm would commit; else in large ones, which is faster
${SCALE_HELP}

Examples:
  node ops/bench/farm/load.ts --url postgres://localhost/farm --create
  node ops/bench/farm/load.ts --url postgres://localhost/farm --create --scale 0.1 --until 2024-01-01
  node ops/bench/farm/load.ts --url postgres://localhost/farm --scale 0.1 --from 2024-01-02 --daily`;

const CHANGES_AT_ONCE = 50_000;

await asCommand(async () => {
  const { values: options } = parseArgs({
    options: {
      ...SCALE_OPTIONS,
      url: { type: 'string' },
      create: { type: 'boolean', default: false },
      until: { type: 'string' },
      from: { type: 'string' },
      daily: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (options.help) {
    console.log(HELP);
    return EXIT.ok;
  }
  const scale = scaleFrom(options);
  const from = options.from === undefined ? FIRST_DAY : isoToDay(options.from);
  const until = options.until === undefined ? lastDayOf(scale) : isoToDay(options.until);
  if (options.url === undefined) throw new RangeError('--url: a database is needed');
  const client = new pg.Client({ connectionString: options.url });
  await client.connect();
  try {
    if (options.create) await createSourceSchema(client, 'newer');
    if (options.from === undefined) await requireEmpty(client);
    const wanted = entered(farmTransactions(scale), from, until);
    const start = performance.now();
    const loaded = await loadSource(client, options.daily ? wanted : joined(wanted, CHANGES_AT_ONCE));
    const seconds = (performance.now() - start) / 1_000;
    const rate = Math.round(loaded.changes / seconds).toLocaleString('en');
    const days = `${dayToIso(from)} to ${dayToIso(until)}`;
    console.log(
      `${loaded.changes} changes of ${days} in ${loaded.transactions} transactions: ${seconds.toFixed(1)} s, ${rate} changes/s`,
    );
    return EXIT.ok;
  } finally {
    await client.end();
  }
});

/** A farm's rows have ids of their own: they cannot be put beside others. */
async function requireEmpty(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query('select 1 from batch_lifecyclestage limit 1');
  if (rowCount !== 0)
    throw new RangeError('--url: the database has rows already; give an empty one, or --from');
}

function* entered(transactions: Iterable<Transaction>, from: Day, until: Day): Generator<Transaction> {
  for (const transaction of transactions) {
    if (from <= transaction.day && transaction.day <= until) yield transaction;
  }
}
