/**
 * The farm's own writing, at a rate: small transactions, each of what a gateway and a keeper bring of four containers
 * at once: 44 readings, three feedings, two mortalities, one sample. Rows are written over again after a while, so that
 * an hour's load does not fill the disk of the source; whether a row is new is all the same to ingest.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Stay, World } from './world.ts';

const ROWS_PER_TRANSACTION = 50;
/** What a transaction of the load is about. */
const STAYS_PER_TRANSACTION = 4;
/** Beyond all ids of the farm's own. */
const FIRST_ID = 1_000_000_000;
const TICK_MS = 10;

const STATEMENT = `
  with stay as materialized (
    select s.*, ($1::bigint * 4 / (select count(*) from bench.stay))::integer as round
    from generate_series(0, 3) i join bench.stay s on s.n = ($1::bigint * 4 + i) % (select count(*) from bench.stay)
  ), readings as (
    insert into environmental_environmentalreading (id, container_id, parameter_id, reading_time, value)
    select ${FIRST_ID} + n * 1000 + k, container_id, 1, $2::timestamptz + k * interval '80 seconds', 6 + random() * 8
    from stay, generate_series(0, 10) j, lateral (select (round * 11 + j) % 1000 as k) place
    on conflict (id, reading_time) do update set value = excluded.value
  ), feedings as (
    insert into inventory_feedingevent
      (id, batch_id, batch_assignment_id, container_id, feeding_date, feeding_time, amount_kg)
    select ${FIRST_ID} + n * 8 + round % 8, batch_id, assignment_id, container_id, $2::date, '09:00', random() * 4
    from stay where n % 4 < 3
    on conflict (id) do update set amount_kg = excluded.amount_kg
  ), mortalities as (
    insert into batch_mortalityevent (id, batch_id, assignment_id, event_date, count, cause)
    select ${FIRST_ID} + n * 8 + round % 8, batch_id, assignment_id, $2::date, (random() * 3)::integer, 'UNKNOWN'
    from stay where n % 4 < 2
    on conflict (id) do update set count = excluded.count
  )
  insert into batch_growthsample (id, assignment_id, sample_date, sample_size, avg_weight_g)
  select ${FIRST_ID} + n, assignment_id, $2::date - 1, 30, weight * (0.98 + random() * 0.04)
  from stay where n % 4 = 1
  on conflict (id) do update set avg_weight_g = excluded.avg_weight_g`;

/** Whose samples the load leaves to the probes. */
export function probedStays({ stays }: World): readonly Stay[] {
  return stays.filter((_, n) => n % STAYS_PER_TRANSACTION === 0);
}

/** What the statement above walks over: a table that nothing captures. */
export async function prepareWriting({ farm, stays }: World): Promise<void> {
  await farm.source.query('create schema bench');
  await farm.source.query(
    `create table bench.stay as
     select row_number() over () - 1 as n, u.* from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::numeric[])
       u (assignment_id, batch_id, container_id, weight)`,
    [
      stays.map(({ assignmentId }) => assignmentId),
      stays.map(({ batchId }) => batchId),
      stays.map(({ containerId }) => containerId),
      stays.map(({ weight }) => weight),
    ],
  );
  await farm.source.query('alter table bench.stay add primary key (n)');
  await farm.source.query('analyze bench.stay');
}

/** Sources answer one connection slower than the pipeline takes rows in. */
const CONNECTIONS = 3;

export class Writer implements AsyncDisposable {
  readonly #clients: readonly pg.Client[];
  readonly #today: string;
  #begun = 0;
  #committed = 0;
  #rate = 0;
  #failure: unknown = null;
  readonly #stopped = new AbortController();
  readonly #running: Promise<unknown>;

  private constructor(clients: readonly pg.Client[], today: string) {
    this.#clients = clients;
    this.#today = `${today} 00:00+00`;
    this.#running = Promise.all(clients.map((client) => this.#run(client)));
  }

  /** It writes nothing until it is given a rate. */
  static async open({ farm, today }: World): Promise<Writer> {
    const clients = Array.from({ length: CONNECTIONS }, () => {
      const client = new pg.Client({ ...farm.endpoints.sourcePg, database: farm.name });
      client.on('error', () => undefined);
      return client;
    });
    await Promise.all(clients.map((client) => client.connect()));
    return new Writer(clients, today);
  }

  /** Rows that were committed so far. Throws what ended the writing. */
  get rows(): number {
    if (this.#failure !== null) throw new Error('the load has ended', { cause: this.#failure });
    return this.#committed * ROWS_PER_TRANSACTION;
  }

  /** Rows a second from now on; 0: none, Infinity: as many as the source takes. */
  set rate(rows: number) {
    this.#rate = rows;
  }

  async #run(client: pg.Client): Promise<void> {
    const { signal } = this.#stopped;
    let [due, lastMs] = [0, performance.now()];
    try {
      while (!signal.aborted) {
        await sleep(TICK_MS);
        const now = performance.now();
        const perMs = this.#rate / ROWS_PER_TRANSACTION / CONNECTIONS / 1_000;
        // What a slow source did not take within a second is not made up for.
        due = this.#rate === 0 ? 0 : Math.min(due + (now - lastMs) * perMs, 1_000 * perMs + 1);
        lastMs = now;
        for (; due >= 1 && this.#rate > 0 && !signal.aborted; due -= 1) await this.#write(client);
      }
    } catch (error) {
      this.#failure = error;
    }
  }

  async #write(client: pg.Client): Promise<void> {
    const number = this.#begun;
    this.#begun += 1;
    await client.query({ name: 'load', text: STATEMENT, values: [number, this.#today] });
    this.#committed += 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#running;
    await Promise.all(this.#clients.map((client) => client.end()));
  }
}
