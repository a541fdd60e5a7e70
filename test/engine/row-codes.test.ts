import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CONFIDENCE_VALUES,
  confidenceCode,
  confidencesToJson,
  jsonToConfidences,
  jsonToOrigins,
  originsToJson,
  packConfidences,
  packOrigins,
} from '../../src/engine/row-codes.ts';

const origins = fc
  .tuple(
    fc.nat({ max: 2 }),
    fc.nat({ max: 5 }),
    fc.nat({ max: 2 }),
    fc.nat({ max: 1 }),
    fc.nat({ max: 1 }),
    fc.nat({ max: 2 }),
  )
  .map((codes) => packOrigins(...codes));
const aConfidence = fc.nat({ max: CONFIDENCE_VALUES.length - 1 });
const confidences = fc
  .tuple(aConfidence, aConfidence, aConfidence, aConfidence, aConfidence)
  .map((codes) => packConfidences(...codes));

describe('R23 sources and confidence scores', () => {
  test('R23: as text, with the keys that are published', () => {
    expect(originsToJson(packOrigins(1, 2, 1, 1, 0, 2))).toBe(
      '{"weight":"tgc_computed","temp":"interpolated","mortality":"actual","feed":"actual","fcr":"insufficient_data","growth":"cube-root"}',
    );
    expect(JSON.parse(originsToJson(packOrigins(2, 0, 2, 0, 1, 0), 'TREATMENT:7'))).toEqual({
      weight: 'measured',
      temp: 'none',
      mortality: 'model',
      feed: 'none',
      fcr: 'calculated',
      activity: 'TREATMENT:7',
    });
    const scores = [0.3, 1, 0.9, 0, 0.85].map(confidenceCode) as [number, number, number, number, number];
    expect(confidencesToJson(packConfidences(...scores))).toBe(
      '{"weight":0.3,"temp":1,"mortality":0.9,"feed":0,"fcr":0.85}',
    );
  });

  test('R23: every code comes back from its text and from its object, however the store orders the keys', () => {
    fc.assert(
      fc.property(
        origins,
        confidences,
        fc.option(fc.constantFrom('TRANSFER:1', 'VACCINATION:2')),
        (code, scores, activity) => {
          const text = originsToJson(code, activity);
          const reordered = JSON.stringify(
            Object.fromEntries(Object.entries(JSON.parse(text)).reverse()),
            null,
            1,
          );
          for (const stored of [text, reordered, JSON.parse(text), text]) {
            expect(jsonToOrigins(stored)).toEqual({ code, activity });
          }
          const scored = confidencesToJson(scores);
          for (const stored of [scored, JSON.parse(scored), scored])
            expect(jsonToConfidences(stored)).toBe(scores);
        },
      ),
    );
  });

  test('R23: five confidences fit one integer', () => {
    expect(CONFIDENCE_VALUES.length).toBeLessThanOrEqual(64);
    expect(new Set(CONFIDENCE_VALUES).size).toBe(CONFIDENCE_VALUES.length);
  });

  test('R21: the table holds what the span’s formula gives', () => {
    for (let span = 2; span <= 14; span++) {
      expect(CONFIDENCE_VALUES[confidenceCode(Math.max(0.4, 0.9 - span / 30))]).toBe(
        Math.max(0.4, 0.9 - span / 30),
      );
    }
  });

  test('what no rule yields is refused', () => {
    expect(() => confidenceCode(0.42)).toThrow(RangeError);
    expect(() => jsonToOrigins({ weight: 'guessed' })).toThrow(RangeError);
    expect(() => jsonToOrigins('{"weight":"measured"}')).toThrow(RangeError);
    expect(() => jsonToConfidences('{"weight":1}')).toThrow(RangeError);
  });
});
