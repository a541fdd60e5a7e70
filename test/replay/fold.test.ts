import { describe, expect, it } from 'vitest';

import { KEEP } from '../../src/domain/cdc.ts';
import type { SourceRecord } from '../../src/domain/cdc.ts';
import { foldImages } from '../../src/replay/kept.ts';
import { PaceMeter, durationText } from '../../src/replay/pace.ts';
import { spread } from '../../src/replay/spread.ts';

const record = (offset: bigint): SourceRecord => ({
  topic: 't',
  partition: 0,
  offset,
  timestampMs: 0,
  key: null,
  value: null,
});
const container = (over: object) => ({ id: 1, name: 'C1', hallId: null, areaId: null, ...over });

describe('images of a fact, one after the other', () => {
  const fold = (...images: readonly (object | null)[]) =>
    foldImages(
      'container',
      1,
      images.map((image, i) => ({ image, record: record(BigInt(i)) })),
    );

  it('keep a value that was not sent, over later images too', () => {
    const { image, refused } = fold(
      container({}),
      container({ name: KEEP, hallId: 2 }),
      container({ name: KEEP, hallId: 3 }),
    );
    expect(image).toEqual(container({ hallId: 3 }));
    expect(refused).toEqual([]);
  });

  it('are refused where nothing has the value, until one brings it', () => {
    const { image, refused } = fold(
      container({ name: KEEP }),
      container({ name: 'C9' }),
      null,
      container({ name: KEEP }),
    );
    expect(image).toBeNull();
    expect(refused.map((letter) => letter.record.offset)).toEqual([0n, 3n]);
    expect(refused[0]?.rejection).toMatchObject({
      code: 'REC005',
      message: expect.stringContaining('container 1'),
    });
  });

  it('take nothing for a value that may be missing', () => {
    const template = { id: 1, name: KEEP, activityType: null, triggerType: null, dayOffset: null };
    const { image } = foldImages('activity_template', 1, [{ image: template, record: record(0n) }]);
    expect(image).toMatchObject({ name: null });
  });
});

describe('partitions over threads', () => {
  it('even out, largest first, each with one thread', () => {
    const items = [5, 9, 1, 4, 4].map((size) => ({ size }));
    const places = spread(items, 2);
    const loads = [0, 1].map((thread) =>
      items.filter((item) => places.get(item) === thread).reduce((sum, { size }) => sum + size, 0),
    );
    expect(loads.sort((a, b) => a - b)).toEqual([10, 13]);
    expect(new Set(spread(items, 1).values())).toEqual(new Set([0]));
  });
});

describe('pace', () => {
  it('is that of the last while, and says what is left', () => {
    const meter = new PaceMeter();
    expect(meter.note(0, 0, 1_000)).toEqual({ perSecond: 0, leftMs: null });
    expect(meter.note(10_000, 100, 1_000)).toEqual({ perSecond: 10, leftMs: 90_000 });
    // What was slow long ago counts no more.
    meter.note(20_000, 400, 1_000);
    expect(meter.note(30_000, 700, 1_000)).toEqual({ perSecond: 30, leftMs: 10_000 });
  });

  it('is told in words', () => {
    expect([400, 75_000, 3_840_000].map(durationText)).toEqual(['0 s', '1 min 15 s', '1 h 04 min']);
  });
});
