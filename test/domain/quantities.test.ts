import { expect, test } from 'vitest';

import { inBytes, inTime } from '../../src/domain/quantities.ts';

test.each([
  [null, 'unknown'],
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 kB'],
  [-1536, '−1.5 kB'],
  [3 * 1024 ** 4, '3.0 TB'],
  [4096 * 1024 ** 4, '4096.0 TB'],
])('%j bytes', (bytes, text) => {
  expect(inBytes(bytes)).toBe(text);
});

test.each([
  [999, '999 ms'],
  [1_000, '1 s'],
  [-90_000, '−90 s'],
  [5_400_000, '90 min'],
  [7_200_000, '2 h'],
  [172_800_000, '2 d'],
])('%i ms', (ms, text) => {
  expect(inTime(ms)).toBe(text);
});
