import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UNDER_WAY_MS, hasReached, judgeCount, judgeEvidence } from '../../src/resnapshot/judge.ts';
import { outsideLog, planRun } from '../../src/resnapshot/start.ts';
import { judgePositions, unsafeText } from '../../src/resnapshot/positions.ts';

const held = (text: string) => ({ kind: 'hold', note: expect.stringContaining(text) as string });

describe('how much may go', () => {
  it.each([
    [{ known: 0, gone: 0 }, 'go'],
    [{ known: 100, gone: 20 }, 'go'],
    [{ known: 100, gone: 21 }, 'hold'],
    [{ known: 1, gone: 1 }, 'hold'],
    [{ known: 5, gone: 1 }, 'go'],
  ])('of %j facts at most 20 %%: %s', (count, kind) => {
    expect(judgeCount(count, false, false, 20).kind).toBe(kind);
    expect(judgeCount(count, true, false, 20).kind).toBe('go');
  });

  it('is nothing in a dry run, and held for the number alone', () => {
    expect(judgeCount({ known: 100, gone: 1 }, false, true, 20)).toEqual(held('counted only'));
    expect(judgeCount({ known: 100, gone: 0 }, false, true, 20)).toEqual({ kind: 'go' });
  });

  it('never is all of a table without a word, whatever the setting below 100 %', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 0, max: 99 }), (known, percent) => {
        expect(judgeCount({ known, gone: known }, false, false, percent).kind).toBe('hold');
      }),
    );
  });
});

describe('whether the topic showed what the connector read', () => {
  const table = { scanned: 10, sinceMs: 1_000, force: false };
  const shown = (touched: number, unreadable = 0) => [
    { touched: 1, unreadable },
    { touched: touched - 1, unreadable: 0 },
  ];

  it('is so with as many keys as rows, or more', () => {
    expect(judgeEvidence(table, shown(10), 0)).toEqual({ kind: 'go' });
    expect(judgeEvidence(table, shown(99), 0)).toEqual({ kind: 'go' });
  });

  it('is waited for, and then for people to judge', () => {
    expect(judgeEvidence(table, shown(9), 1_000 + UNDER_WAY_MS - 1)).toEqual({ kind: 'wait' });
    expect(judgeEvidence(table, shown(9), 1_000 + UNDER_WAY_MS)).toEqual(
      held('read 10 rows, but only 9 came'),
    );
    expect(judgeEvidence({ ...table, force: true }, shown(9), 1_000)).toEqual({ kind: 'go' });
  });

  it('is unknown with records whose key cannot be read', () => {
    expect(judgeEvidence(table, shown(99, 2), 0)).toEqual(held('2 records came whose key cannot be read'));
  });
});

describe('having read as far as needed', () => {
  const at = { topic: 't', partition: 0, table: null, start: 0n, touched: 0, unreadable: 0, sample: null };

  it.each([
    [4n, 4n, 4n, [true, true]],
    [4n, 4n, 3n, [true, false]],
    [3n, 4n, 4n, [false, false]],
    [4n, null, 4n, [false, false]],
  ])('read %s of %s, ingested %s', (read, target, ingested, [alone, both]) => {
    expect(hasReached([{ ...at, read, target, ingested }], false)).toBe(alone);
    expect(hasReached([{ ...at, read, target, ingested }], true)).toBe(both);
  });
});

describe('a position', () => {
  const log = { topic: 'farm.public.batch_batch', partition: 0, low: 10n, end: 20n };

  it.each([
    [0n, null],
    [1n, 'expired'],
    [9n, 'expired'],
    [10n, null],
    [20n, null],
    [21n, 'beyond'],
  ])('%s in a log of 10 to 20 is outside: %s', (position, reason) => {
    expect(outsideLog(log, position)).toBe(reason);
  });

  it('outside its log is moved to where the log begins, and the run begins at its end', () => {
    const news = { topic: 'farm.notifications', partition: 0, low: 5n, end: 7n };
    expect(planRun('farm', [log, news], [21n, 99n])).toEqual({
      starts: [
        { topic: log.topic, partition: 0, table: 'batch_batch', start: 20n },
        { topic: news.topic, partition: 0, table: null, start: 7n },
      ],
      moves: [{ topic: log.topic, partition: 0, from: 21n, to: 10n }],
    });
    expect(planRun('farm', [log], [15n]).moves).toEqual([]);
  });

  it('is told with its reason and the command for all that are unsafe', () => {
    const other = { ...log, topic: 'farm.public.health_treatment', partition: 3 };
    const positions = [
      { topic: log.topic, partition: 0, next: 9n },
      { topic: other.topic, partition: 3, next: 20n },
    ];
    const doubt = { topic: other.topic, partition: 3, sinceMs: Date.UTC(2026, 0, 2) };
    const unsafe = judgePositions([log, other], positions, [doubt, { ...log, sinceMs: 0 }]);
    expect(unsafe.map(({ topic, reason }) => [topic, reason])).toEqual([
      [log.topic, 'expired'],
      [other.topic, 'stale'],
    ]);
    const tableOf = (topic: string) => topic.split('.').at(-1) ?? null;
    expect(unsafeText(unsafe, tableOf)).toBe(
      'farm.public.batch_batch/0: KAF003: records that were not read yet are gone from it (and 1 more); ' +
        'run `anchorline resnapshot --table batch_batch --table health_treatment`',
    );
    expect(unsafeText(unsafe.slice(1), tableOf)).toContain(
      'KAF005: it was behind for longer than it keeps deletes',
    );
    expect(unsafeText(unsafe.slice(1), tableOf)).toContain('since 2026-01-02T00:00:00.000Z');
    expect(unsafeText([], tableOf)).toBe('');
  });

  it('that was not asked for is not judged', () => {
    expect(judgePositions([log], [], [])).toEqual([]);
  });
});
