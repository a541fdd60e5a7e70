/** What the demo asks of the state store, as an analyst would: plain SQL. */
import pg from 'pg';
import type { BatchDay } from './chart.ts';
import { rowKey } from './watcher.ts';

export class StateReader {
  readonly #client: pg.Client;
  readonly #schema: string;

  private constructor(client: pg.Client, schema: string) {
    this.#client = client;
    this.#schema = pg.escapeIdentifier(schema);
  }

  static async open(url: string, schema: string): Promise<StateReader> {
    const client = new pg.Client({ connectionString: url });
    // A query that follows says that the connection is gone; by itself it ends nobody.
    client.on('error', () => undefined);
    await client.connect();
    return new StateReader(client, schema);
  }

  close(): Promise<void> {
    return this.#client.end();
  }

  /** True once a container of this name has been ingested. */
  async hasContainerNamed(name: string): Promise<boolean> {
    const rows = await this.#rows<{ found: boolean }>(
      `select exists (select from ${this.#schema}.fact_container where name = $1) as found`,
      [name],
    );
    return rows[0]?.found ?? false;
  }

  /** Every row's key and revision. */
  async revisions(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#rows<{ assignment: string; date: string; revision: string }>(
      `select assignment_id as assignment, date::text, revision from ${this.#schema}.daily_state`,
    );
    return new Map(
      rows.map(({ assignment, date, revision }) => [
        rowKey({ assignmentId: Number(assignment), date }),
        Number(revision),
      ]),
    );
  }

  /** The batch's days, its assignments together. */
  async batchDays(): Promise<readonly BatchDay[]> {
    const rows = await this.#rows<Record<keyof BatchDay, string>>(
      `select date::text, count(*) as assignments, sum(population) as population,
              sum(biomass_kg) as "biomassKg", sum(mortality_count) as deaths, sum(feed_kg) as "feedKg",
              coalesce(sum(avg_weight_g * population) / nullif(sum(population), 0), 0) as "weightG"
       from ${this.#schema}.daily_state group by date order by date`,
    );
    return rows.map((row) => ({
      date: row.date,
      assignments: Number(row.assignments),
      population: Number(row.population),
      biomassKg: Number(row.biomassKg),
      deaths: Number(row.deaths),
      feedKg: Number(row.feedKg),
      weightG: Number(row.weightG),
    }));
  }

  async #rows<R extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<R[]> {
    return (await this.#client.query<R>(sql, [...values])).rows;
  }
}
