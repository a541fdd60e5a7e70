import { expect, test } from 'vitest';

import { MAX_DAY, MIN_DAY } from '../../src/domain/day.ts';
import type { StoredRows } from '../../src/domain/rows.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import { computeAssignment } from '../../src/engine/compute.ts';
import { prepareBatch } from '../../src/engine/context.ts';
import { differingColumns, equalsStored } from '../../src/engine/diff.ts';
import { D, batch, facts, sample } from '../support/engine-build.ts';
import { storedOf } from '../support/engine-rows.ts';

const { rows } = computeAssignment({
  context: prepareBatch(batch(), D + 2, DEFAULT_ENGINE_SETTINGS),
  facts: facts({ assignmentId: 1, samples: [sample({ day: D + 1 })] }),
  window: { from: MIN_DAY, to: MAX_DAY },
  stored: null,
  sourceWeight: () => undefined,
  cutOff: false,
});
const AT = 1;

const COLUMNS: readonly (readonly [string, keyof StoredRows])[] = [
  ['batch_id', 'batchIds'],
  ['container_id', 'containerIds'],
  ['day_number', 'dayNumbers'],
  ['lifecycle_stage_id', 'stageId'],
  ['carry_weight_g', 'weight'],
  ['mortality_remainder', 'remainder'],
  ['population', 'population'],
  ['avg_weight_g', 'avgWeight'],
  ['biomass_kg', 'biomass'],
  ['temp_c', 'temp'],
  ['mortality_count', 'deaths'],
  ['feed_kg', 'feed'],
  ['observed_fcr', 'fcr'],
  ['anchor_residual_g', 'residual'],
  ['anchor_type', 'anchor'],
  ['confidence_scores', 'confidences'],
  ['sources', 'origins'],
];

test('rows that are equal differ in no column', () => {
  const stored = storedOf(rows);
  expect(equalsStored(rows, AT, stored, AT)).toBe(true);
  expect(differingColumns(rows, AT, stored, AT)).toEqual([]);
});

test.each(COLUMNS)('a different %s is named, and makes the rows unequal', (name, field) => {
  const stored = storedOf(rows);
  const column = (stored[field] as Float64Array).slice();
  column[AT] = Number.isNaN(column[AT]) ? 1 : column[AT]! + 1;
  const altered = { ...stored, [field]: column };
  expect(equalsStored(rows, AT, altered, AT)).toBe(false);
  expect(differingColumns(rows, AT, altered, AT)).toEqual([name]);
});

test('a different activity is one of the sources', () => {
  const altered = { ...storedOf(rows), activities: new Map([[AT, 'VACCINATION:1']]) };
  expect(equalsStored(rows, AT, altered, AT)).toBe(false);
  expect(differingColumns(rows, AT, altered, AT)).toEqual(['sources']);
});
