import { describe, expect, it } from 'vitest';
import type { RunTable } from '../../src/domain/resnapshot.ts';
import type { CapturedTableName } from '../../src/domain/topics.ts';
import { newsOf, notificationOf } from '../../src/resnapshot/notifications.ts';
import type { Notification } from '../../src/resnapshot/notifications.ts';

const run = (told = true) => ({ id: 'run', told, tables: [table('batch_batch'), table('health_treatment')] });

function table(name: CapturedTableName): RunTable {
  const none = { progress: null, scanned: null, known: null, gone: null, sent: 0, sample: [], note: null };
  return { table: name, state: 'waiting', sinceMs: 0, force: false, ...none };
}

function notice(type: string, data: Notification['data'] = {}, id = 'run'): Notification {
  return { id, type, data };
}

const scanned = (name: string, status: string, rows: string, id = 'run') =>
  notice(
    'TABLE_SCAN_COMPLETED',
    { scanned_collection: `public.${name}`, status, total_rows_scanned: rows },
    id,
  );

describe('what the connector tells', () => {
  it('is taken from the records about incremental snapshots', () => {
    const value = {
      id: 'run',
      type: 'STARTED',
      aggregate_type: 'Incremental Snapshot',
      additional_data: { data_collections: 'public.batch_batch' },
      timestamp: 1_795_510_273_287,
    };
    expect(notificationOf(value)).toEqual(notice('STARTED', { data_collections: 'public.batch_batch' }));
    expect(notificationOf({ ...value, aggregate_type: 'Initial Snapshot' })).toBeNull();
    expect(notificationOf({ ...value, additional_data: null })).toEqual(notice('STARTED'));
    for (const other of [null, 7, 'text', {}, { ...value, id: 3 }]) expect(notificationOf(other)).toBeNull();
  });

  it('counts from its STARTED for this run on', () => {
    const others = [notice('STARTED', {}, 'other'), scanned('batch_batch', 'SUCCEEDED', '2', 'other')];
    expect(newsOf(run(false), others)).toEqual({ tables: [] });
    expect(
      newsOf(run(false), [...others, notice('STARTED'), scanned('batch_batch', 'SUCCEEDED', '2')]),
    ).toEqual({
      told: true,
      tables: [{ table: 'batch_batch', state: 'scanned', scanned: 2 }],
    });
  });

  it('is no word of a run that was put on top of another snapshot: the run has failed', () => {
    expect(newsOf(run(false), [scanned('batch_batch', 'SUCCEEDED', '2')])).toEqual({
      failed: expect.stringContaining('in the middle of another snapshot') as string,
      tables: [],
    });
  });

  it('may bear the id of a request that came later', () => {
    expect(newsOf(run(), [scanned('batch_batch', 'SUCCEEDED', '2', 'later')])).toEqual({
      tables: [{ table: 'batch_batch', state: 'scanned', scanned: 2 }],
    });
  });

  it.each([
    ['SUCCEEDED', '7', { state: 'scanned', scanned: 7 }],
    // The connector counts on from the table before.
    ['EMPTY', '8194', { state: 'scanned', scanned: 0 }],
    ['UNKNOWN_SCHEMA', '0', { state: 'failed' }],
    ['NO_PRIMARY_KEY', '0', { state: 'failed' }],
    ['SQL_EXCEPTION', '8192', { state: 'failed' }],
    ['SKIPPED', '0', { state: 'failed' }],
    ['SOMETHING_NEW', '0', { state: 'failed' }],
    ['SUCCEEDED', 'many', { state: 'failed' }],
  ])('says that a table was read: %s, %s rows', (status, rows, expected) => {
    const { tables } = newsOf(run(), [scanned('batch_batch', status, rows)]);
    expect(tables).toEqual([expect.objectContaining({ table: 'batch_batch', ...expected })]);
    if (expected.state === 'failed') expect(tables[0]?.note).toContain(`(${status})`);
  });

  it('says how far it is in a table', () => {
    const data = {
      current_collection_in_progress: 'public.batch_batch',
      last_processed_key: '8192',
      maximum_key: '9000',
    };
    expect(newsOf(run(), [notice('IN_PROGRESS', data), notice('PAUSED'), notice('RESUMED')])).toEqual({
      tables: [{ table: 'batch_batch', progress: 'key 8192 of 9000' }],
    });
  });

  it('ends with tables unread where it never named them', () => {
    const news = newsOf(run(), [scanned('batch_batch', 'SUCCEEDED', '2'), notice('COMPLETED')]);
    expect(news.tables).toEqual([
      { table: 'batch_batch', state: 'scanned', scanned: 2 },
      expect.objectContaining({ table: 'health_treatment', state: 'failed' }),
    ]);
  });

  it('stops for the tables that somebody named, or for all', () => {
    const named = notice('ABORTED', { data_collections: 'public.health_treatment,public.other' }, 'random');
    expect(newsOf(run(), [named]).tables).toMatchObject([{ table: 'health_treatment', state: 'failed' }]);
    expect(newsOf(run(), [notice('ABORTED')]).tables).toMatchObject([
      { state: 'failed' },
      { state: 'failed' },
    ]);
  });

  it('has forgotten the request where it begins another before the end', () => {
    const { tables } = newsOf(run(), [scanned('batch_batch', 'EMPTY', '0'), notice('STARTED', {}, 'other')]);
    expect(tables).toMatchObject([
      { table: 'batch_batch', state: 'scanned' },
      {
        table: 'health_treatment',
        state: 'failed',
        note: expect.stringContaining('offsets were lost') as string,
      },
    ]);
  });
});
