/** What operators ask of the store; what is measured all the time is in gauges.ts. */
import type { Day } from '../domain/day.ts';
import { extensionSchema } from './session.ts';
import type { Session } from './session.ts';

export interface StoreStatus {
  readonly build: string;
  readonly horizon: Day | null;
  readonly snapshot: string;
  /** Dirt that waits; what is set aside by parking is counted apart. Ages in ms by the store's clock. */
  readonly dirt: { readonly entries: number; readonly assignments: number; readonly oldestMs: number | null };
  readonly setAside: number;
  readonly parked: number;
  readonly publications: { readonly entries: number; readonly oldestMs: number | null };
  readonly deadLettersOpen: number;
  readonly anomaliesByCode: ReadonlyMap<string, number>;
  readonly positions: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly next: bigint;
  }[];
  /** Estimated by the planner's statistics: counting tens of millions takes minutes. */
  readonly rows: number;
  readonly retired: number;
}

const AGE = (column: string): string =>
  `floor(extract(epoch FROM clock_timestamp() - min(${column})) * 1000)::bigint`;

export async function readStatus(session: Session): Promise<StoreStatus> {
  const one = async <R extends readonly unknown[]>(text: string): Promise<R> =>
    (await session.first<R>(text)) as R;
  const [build] = await one<[string]>(`SELECT kind FROM ${session.t('build')}`);
  const [snapshot] = await one<[string]>(`SELECT state FROM ${session.t('snapshot_state')}`);
  const [entries, assignments, oldestMs] = await one<[number, number, number | null]>(
    `SELECT count(*), count(DISTINCT assignment_id), ${AGE('appended_at')} FROM ${session.t('dirt')} WHERE NOT set_aside`,
  );
  const [setAside, parked, retired, letters] = await one<[number, number, number, number]>(
    `SELECT (SELECT count(*) FROM ${session.t('dirt')} WHERE set_aside), (SELECT count(*) FROM ${session.t('parked')}),
       (SELECT count(*) FROM ${session.t('retired_assignment')}),
       (SELECT count(*) FROM ${session.t('dead_letter')} WHERE state = 'open')`,
  );
  const [log, logOldestMs] = await one<[number, number | null]>(
    `SELECT count(*), ${AGE('appended_at')} FROM ${session.t('publication_log')} WHERE NOT set_aside`,
  );
  const anomalies = await session.rows<[string, number]>(
    `SELECT code, count(*) FROM ${session.t('anomaly')} GROUP BY code ORDER BY code`,
  );
  const positions = await session.rows<[string, number, string]>(
    `SELECT topic, partition, next_offset::text FROM ${session.t('position')} ORDER BY topic, partition`,
  );
  const [horizon] = await one<[Day | null]>(`SELECT (SELECT date FROM ${session.t('horizon')})`);
  return {
    build,
    horizon,
    snapshot,
    dirt: { entries, assignments, oldestMs },
    setAside,
    parked,
    publications: { entries: log, oldestMs: logOldestMs },
    deadLettersOpen: letters,
    anomaliesByCode: new Map(anomalies),
    positions: positions.map(([topic, partition, next]) => ({ topic, partition, next: BigInt(next) })),
    rows: await estimatedRows(session, build),
    retired,
  };
}

/** Of the table and, for a hypertable, of its chunks. */
async function estimatedRows(session: Session, build: string): Promise<number> {
  const table = session.t('daily_state');
  const text =
    build === 'timescale'
      ? `SELECT ${await extensionSchema(session)}.approximate_row_count('${table}')`
      : `SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = '${table}'::regclass`;
  return (await session.first<[number]>(text))?.[0] ?? 0;
}
