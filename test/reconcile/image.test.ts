import { describe, expect, it, test } from 'vitest';
import * as fc from 'fast-check';
import { TopicImage, differencesOf } from '../../src/reconcile/image.ts';

const row = (digest: string, revision: number) => ({ digest, revision, id: revision * 10 });

describe('the image of the topic', () => {
  it('is the last value of each key, and remembers numbers of values that are gone', () => {
    const image = new TopicImage();
    image.see(1, 5, row('a', 3));
    image.see(1, 6, row('b', 9));
    image.see(1, 5, row('c', 4));
    image.see(1, 6, null);
    image.see(2, 5, null);
    expect([...image.of(1)]).toEqual([[5, 'c']]);
    expect([...image.of(2)]).toEqual([]);
    expect([image.highestRevision, image.highestId]).toEqual([9, 90]);
  });
});

describe('differences', () => {
  test.each([
    ['equal', [[1, 'a']], [[1, 'a']], [], []],
    ['other content', [[1, 'a']], [[1, 'b']], [1], []],
    [
      'missing in the topic',
      [],
      [
        [2, 'a'],
        [1, 'a'],
      ],
      [1, 2],
      [],
    ],
    [
      'missing in the table',
      [
        [3, 'a'],
        [1, 'b'],
      ],
      [[1, 'b']],
      [],
      [3],
    ],
  ] as const)('%s', (_name, topic, table, changed, gone) => {
    expect(differencesOf(new Map(topic), new Map(table))).toEqual({ changed, gone });
  });

  it('once published, leave none', () => {
    const rows = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.constantFrom('a', 'b', 'c')));
    fc.assert(
      fc.property(rows, rows, (before, now) => {
        const [topic, table] = [new Map<number, string>(before), new Map<number, string>(now)];
        const { changed, gone } = differencesOf(topic, table);
        for (const day of changed) topic.set(day, table.get(day) ?? '');
        for (const day of gone) topic.delete(day);
        expect(differencesOf(topic, table)).toEqual({ changed: [], gone: [] });
        expect(topic).toEqual(table);
      }),
    );
  });
});
