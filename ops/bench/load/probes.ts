/**
 * Single changes that are followed from their commit to the topic: a sample's weight is changed, and the row of its day
 * shows exactly that weight. One at a time per assignment, on assignments that the load changes as well.
 *
 * Where the instants come from: commit and record from the change event; decoded and ingested from the dirt; begin and
 * end of the computing from the publication log. The last two are noted by triggers, for such rows are gone in a moment.
 */
import type { Consumer } from 'kafkajs';
import { dayToIso, isoToDay } from '../../../src/domain/day.ts';
import { changeTopic, dailyStateTopic } from '../../../src/domain/topics.ts';
import { createAvroDecoder } from '../../../src/kafka/avro.ts';
import type { AvroDecoder } from '../../../src/kafka/avro.ts';
import type { Pipeline } from '../../../test/support/pipeline.ts';
import type { Instants } from './stages.ts';
import { PROBED_DAYS_AGO } from './world.ts';
import type { Stay, World } from './world.ts';

/** Beyond the load's. */
const FIRST_ID = 2_000_000_000;
/** Other weights that a probe gives before it gives the first again, 0.01 g apart. */
const WEIGHTS = 50;

interface Probe {
  readonly assignmentId: number;
  readonly weight: number;
  committed: number;
  inKafka: number;
  arrived: number;
  revision: number;
}

export interface Followed {
  readonly seen: readonly Instants[];
  /** Changes that did not arrive in time, or of which an instant is missing. */
  readonly lost: number;
}

/** Never the weight that the fish have without a probe: who shows that shows nothing of the sample. */
function weightOf({ weight }: Stay, count: number): number {
  return Math.round(weight * 100 + 1 + (count % WEIGHTS)) / 100;
}

export class Probes implements AsyncDisposable {
  readonly #farm: Pipeline;
  /** With the number of probes that each has had. */
  #places: { readonly stay: Stay; count: number }[] = [];
  readonly #day: number;
  readonly #consumer: Consumer;
  readonly #decoder: AvroDecoder;
  /** On their way, by assignment. */
  readonly #open = new Map<number, Probe>();
  #done: Probe[] = [];
  #sent = 0;

  private constructor({ farm, today }: World) {
    this.#farm = farm;
    this.#day = isoToDay(today) - PROBED_DAYS_AGO;
    this.#decoder = createAvroDecoder(farm.config.registry.url);
    this.#consumer = farm.lab.kafka.consumer({
      groupId: `${farm.name}-watch`,
      readUncommitted: false,
      maxWaitTimeInMs: 20,
    });
  }

  /** `stays` are those that may be changed. The pipeline must be settled. */
  static async open(world: World, stays: readonly Stay[]): Promise<Probes> {
    const probes = new Probes(world);
    const { farm, today } = world;
    await probes.#keepNotes(stays);
    await farm.source.query(
      `insert into batch_growthsample (id, assignment_id, sample_date, sample_size, avg_weight_g)
       select ${FIRST_ID} + a, a, date '${today}' - ${PROBED_DAYS_AGO}, 30, w from unnest($1::bigint[], $2::numeric[]) u (a, w)`,
      [stays.map(({ assignmentId }) => assignmentId), stays.map((stay) => weightOf(stay, 0))],
    );
    await farm.settled();
    await probes.#place(stays);
    await probes.#watch();
    return probes;
  }

  /** Leaves out where a row shows something else than its sample, as after a transfer that was weighed. */
  async #place(stays: readonly Stay[]): Promise<void> {
    const rows = await this.#farm.inStore<{ id: number; weight: number }>(
      `select assignment_id::integer as id, avg_weight_g::float8 as weight from daily_state where date = $1`,
      [dayToIso(this.#day)],
    );
    const shown = new Map(rows.map(({ id, weight }) => [id, weight]));
    this.#places = stays
      .filter((stay) => shown.get(stay.assignmentId) === weightOf(stay, 0))
      .map((stay) => ({ stay, count: 0 }));
    if (this.#places.length === 0) throw new Error('no assignment shows the weight of its sample');
  }

  /** Rows changed so far. */
  get sent(): number {
    return this.#sent;
  }

  get underWay(): number {
    return this.#open.size;
  }

  /** Of what is under way, for an error's message. */
  get missing(): string {
    const open = [...this.#open.values()];
    const unread = open.filter(({ inKafka }) => inKafka === 0).length;
    const unpublished = open.filter(({ arrived }) => arrived === 0).length;
    const ids = open.map(({ assignmentId, weight }) => `${assignmentId} at ${weight} g`).slice(0, 5);
    return `of ${open.length} under way (${ids.join(', ')}) ${unread} were not seen in Kafka, ${unpublished} not in daily-state`;
  }

  get arrived(): number {
    return this.#done.length;
  }

  /** Changes one sample of an assignment that has none on its way; false where all have. */
  async send(): Promise<boolean> {
    const free = this.#places.filter(({ stay }) => !this.#open.has(stay.assignmentId));
    const place = free[Math.floor(Math.random() * free.length)];
    if (place === undefined) return false;
    place.count += 1;
    const { assignmentId } = place.stay;
    const weight = weightOf(place.stay, place.count);
    this.#open.set(assignmentId, { assignmentId, weight, committed: 0, inKafka: 0, arrived: 0, revision: 0 });
    await this.#farm.source.query('update batch_growthsample set avg_weight_g = $1 where id = $2', [
      weight,
      FIRST_ID + assignmentId,
    ]);
    this.#sent += 1;
    return true;
  }

  /** What has arrived since the last call; what is on its way still is given up. */
  async take(): Promise<Followed> {
    const [done, late] = [this.#done, this.#open.size];
    this.#done = [];
    this.#open.clear();
    const dirt = await this.#farm.inStore<{ assignment: number; decoded: string; ingested: string }>(
      `select assignment_id::integer as assignment, decoded_ms as decoded,
         extract(epoch from appended_at) * 1000 as ingested
       from bench_dirt where 'growth_sample' = any (reasons) order by appended_at`,
    );
    const log = await this.#farm.inStore<{
      assignment: number;
      revision: number;
      begun: string;
      computed: string;
    }>( // prettier-ignore
      `select assignment_id::integer as assignment, revision::integer as revision,
         extract(epoch from begun_at) * 1000 as begun, extract(epoch from appended_at) * 1000 as computed
       from bench_log`,
    );
    await this.#farm.inStore('truncate bench_dirt, bench_log');
    const ofAssignment = Map.groupBy(dirt, ({ assignment }) => assignment);
    const ofRevision = new Map(log.map((entry) => [`${entry.assignment}/${entry.revision}`, entry]));
    const seen = done.flatMap((probe): Instants[] => {
      const { assignmentId, committed, inKafka, arrived } = probe;
      const noted = ofAssignment.get(assignmentId)?.find(({ decoded }) => Number(decoded) >= committed);
      const entry = ofRevision.get(`${assignmentId}/${probe.revision}`);
      if (noted === undefined || entry === undefined) return [];
      const [decoded, ingested] = [Number(noted.decoded), Number(noted.ingested)];
      const [begun, computed] = [Number(entry.begun), Number(entry.computed)];
      return [{ committed, inKafka, decoded, ingested, begun, computed, arrived }];
    });
    return { seen, lost: done.length - seen.length + late };
  }

  /** Notes of the probed assignments alone, a statement at a time: the load pays little for it. */
  async #keepNotes(stays: readonly Stay[]): Promise<void> {
    const { name: schema } = this.#farm;
    const ids = stays.map(({ assignmentId }) => assignmentId).join(', ');
    for (const sql of [
      'create unlogged table bench_dirt as select assignment_id, decoded_ms, appended_at, reasons from dirt limit 0',
      `create unlogged table bench_log as
       select assignment_id, revision, appended_at as begun_at, appended_at from publication_log limit 0`,
      `create function bench_dirt() returns trigger language plpgsql as $$ begin
         insert into ${schema}.bench_dirt select assignment_id, decoded_ms, appended_at, reasons
         from added where assignment_id in (${ids}); return null; end $$`,
      `create function bench_log() returns trigger language plpgsql as $$ begin
         insert into ${schema}.bench_log select assignment_id, revision, transaction_timestamp(), appended_at
         from added where assignment_id in (${ids}); return null; end $$`,
      `create trigger bench_dirt after insert on dirt referencing new table as added
       for each statement execute function bench_dirt()`,
      `create trigger bench_log after insert on publication_log referencing new table as added
       for each statement execute function bench_log()`,
    ]) {
      await this.#farm.inStore(sql);
    }
  }

  async #watch(): Promise<void> {
    const { prefix, namespace } = this.#farm.config.topics;
    const samples = changeTopic(prefix, 'batch_growthsample');
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [samples, dailyStateTopic(namespace)], fromBeginning: false });
    const joined = new Promise((resolve) => this.#consumer.on('consumer.group_join', resolve));
    await this.#consumer.run({
      eachMessage: async ({ topic, message: { key, value, timestamp } }) => {
        const arrived = Date.now();
        if (key === null || value === null) return;
        if (topic === samples) await this.#onSample(value, Number(timestamp));
        else await this.#onState(key, value, arrived);
      },
    });
    await joined;
  }

  async #onSample(value: Buffer, inKafka: number): Promise<void> {
    const { source, after } = (await this.#decoded(value)) as {
      source: { ts_ms: number };
      after: { assignment_id: number; avg_weight_g: string } | null;
    };
    const probe = this.#open.get(after?.assignment_id ?? 0);
    if (probe === undefined || Number(after?.avg_weight_g) !== probe.weight) return;
    probe.committed = source.ts_ms;
    probe.inKafka = inKafka;
    this.#closeIfWhole(probe);
  }

  async #onState(key: Buffer, value: Buffer, arrived: number): Promise<void> {
    const { assignment_id: id, date } = (await this.#decoded(key)) as { assignment_id: number; date: number };
    const probe = date === this.#day ? this.#open.get(id) : undefined;
    if (probe === undefined || probe.arrived > 0) return;
    const row = (await this.#decoded(value)) as { avg_weight_g: number; revision: number };
    if (row.avg_weight_g !== probe.weight) return;
    probe.arrived = arrived;
    probe.revision = row.revision;
    this.#closeIfWhole(probe);
  }

  /** The two topics come in any order. */
  #closeIfWhole(probe: Probe): void {
    if (probe.arrived === 0 || probe.inKafka === 0) return;
    this.#open.delete(probe.assignmentId);
    this.#done.push(probe);
  }

  async #decoded(bytes: Buffer): Promise<unknown> {
    const result = await this.#decoder.decode(bytes);
    if (!result.ok) throw new Error(result.rejection.message);
    return result.value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#consumer.disconnect();
  }
}
