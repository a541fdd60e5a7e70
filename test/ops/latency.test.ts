import { expect, test } from 'vitest';
import { figuresOf } from '../../ops/bench/load/figures.ts';
import type { LoadReport } from '../../ops/bench/load/measure.ts';
import { COMMIT_TO_TOPIC, DECODE_TO_TOPIC, quantile, quantilesOf } from '../../ops/bench/load/stages.ts';
import type { Instants } from '../../ops/bench/load/stages.ts';

const CHANGE: Instants = {
  committed: 1_000,
  inKafka: 1_017,
  decoded: 1_021,
  ingested: 1_033,
  begun: 1_090,
  computed: 1_099,
  arrived: 1_120,
};

test('a quantile is a value that was seen, and as large as its share asks', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
  expect([0.5, 0.9, 0.99, 1].map((share) => quantile(hundred, share))).toEqual([50, 90, 99, 100]);
  expect([0.5, 0.99].map((share) => quantile([7], share))).toEqual([7, 7]);
  expect(quantile([], 0.5)).toBeNaN();
});

test('the stages of a change follow one another without a gap', () => {
  const stages = quantilesOf([CHANGE]);
  const of = (name: string): number | undefined => stages.find(({ stage }) => stage === name)?.median;
  const parts = stages.filter(({ stage }) => stage !== DECODE_TO_TOPIC && stage !== COMMIT_TO_TOPIC);
  expect(parts.reduce((sum, { median }) => sum + median, 0)).toBe(of(COMMIT_TO_TOPIC));
  expect(of(COMMIT_TO_TOPIC)).toBe(120);
  expect(of(DECODE_TO_TOPIC)).toBe(99);
});

test('the aim is one of half load, and is missed by its 99th percentile alone', () => {
  const slow = { ...CHANGE, arrived: CHANGE.decoded + 301 };
  const aimsOf = (seen: readonly Instants[]) =>
    figuresOf(report(seen)).flatMap(({ what, aim }) => (aim === undefined ? [] : [{ what, met: aim.met }]));
  const quick = Array.from({ length: 99 }, () => CHANGE);
  expect(aimsOf([...quick, slow])).toEqual([{ what: `half load, ${DECODE_TO_TOPIC}`, met: true }]);
  expect(aimsOf([...quick, slow, slow])).toEqual([{ what: `half load, ${DECODE_TO_TOPIC}`, met: false }]);
});

test('says what was not seen, and what was not written as meant', () => {
  const figures = figuresOf(report([CHANGE]));
  const noteOf = (what: string): string => figures.find((figure) => figure.what === what)?.note ?? '';
  expect(noteOf(`half load, ${COMMIT_TO_TOPIC}`)).toContain('1 changes; 2 not seen');
  expect(noteOf('half load')).not.toContain('meant');
  expect(noteOf('full load')).toContain('8000 were meant');
});

function report(seen: readonly Instants[]): LoadReport {
  const followed = { seen, lost: 2 };
  const largest = { waiting: 900, dirtAgeMs: 400, unpublished: 3 };
  const loaded = { ...followed, written: 4_000, ingested: 4_000, growth: 1, largest };
  return { capacity: null, rate: 8_000, idle: followed, half: loaded, full: loaded, memory: [] };
}
