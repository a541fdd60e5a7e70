import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import avsc from 'avsc';
import type { Schema } from 'avsc';
import { describe, expect, test } from 'vitest';

import type { PublishedRow } from '../../src/domain/ports.ts';
import { DAILY_STATE_KEY_SCHEMA, DAILY_STATE_VALUE_SCHEMA } from '../../src/publish/contract-types.ts';
import { contractSubjects, toAvro } from '../../src/publish/contract.ts';
import { incompatibilities } from '../support/avro-compatibility.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SCHEMAS = join(ROOT, 'src', 'publish', 'schemas');

/**
 * The versions that may be in a topic, oldest first. A change of the contract adds a file and a line here, and
 * never alters one: compacted topics keep records of every version.
 */
const FINGERPRINTS = {
  'daily-state-key': ['cf3068225e7f63cc'],
  'daily-state-value': ['c3a1c601fa4ae844'],
} as const;

type Subject = keyof typeof FINGERPRINTS;
const SUBJECTS = Object.keys(FINGERPRINTS) as Subject[];

const load = (...path: string[]) => JSON.parse(readFileSync(join(SCHEMAS, ...path), 'utf8')) as Schema;
const versions = (subject: Subject) =>
  FINGERPRINTS[subject].map((_, index) => load('versions', `${subject}.${index + 1}.avsc`));
/** Of the whole schema: Avro's canonical form leaves out defaults, on which readers depend. */
const hash = (schema: Schema) =>
  createHash('sha256').update(JSON.stringify(schema)).digest('hex').slice(0, 16);

const ROW: PublishedRow = {
  id: 71n,
  assignmentId: 12,
  batchId: 3,
  containerId: 40,
  lifecycleStageId: null,
  date: 19_417,
  dayNumber: 91,
  avgWeightG: 13.5,
  population: 3_000_000_000,
  biomassKg: 40_500.07,
  tempC: 8.25,
  mortalityCount: 0,
  feedKg: 0.1,
  observedFcr: null,
  anchorType: 'growth_sample',
  sources: { weight: 'measured', temp: 'interpolated' },
  confidenceScores: { weight: 1, temp: 0.7 },
  lastComputedAtMs: 1_700_000_000_123,
  anchorResidualG: -0.123456789,
  revision: 9_007_199_254_740_000n,
};

describe('the schemas', () => {
  test.each(SUBJECTS)('%s: every version is what it was when it was published', (subject) => {
    const found = versions(subject).map(hash);
    expect(found).toEqual(FINGERPRINTS[subject]);
  });

  test.each(SUBJECTS)('%s: the current one is the latest version, and each is kept', (subject) => {
    const kept = readdirSync(join(SCHEMAS, 'versions')).filter((name) => name.startsWith(`${subject}.`));
    expect(kept).toHaveLength(FINGERPRINTS[subject].length);
    expect(load(`${subject}.avsc`)).toEqual(versions(subject).at(-1));
  });

  test.each(SUBJECTS)('%s: every version reads every other', (subject) => {
    expect(incompatibilities([...versions(subject), load(`${subject}.avsc`)])).toEqual([]);
  });

  test.each([
    ['a field without a default that is added', [...fields(), { name: 'extra', type: 'long' }]],
    ['a field without a default that is taken away', fields().filter(({ name }) => name !== 'population')],
    ['a type that narrows', fields().map((f) => (f.name === 'avg_weight_g' ? { ...f, type: 'float' } : f))],
    [
      'a field that may become null',
      fields().map((f) => (f.name === 'id' ? { ...f, type: ['null', 'long'] } : f)),
    ],
  ])('the check finds %s', (_what, changed) => {
    const planted = { ...DAILY_STATE_VALUE_SCHEMA, fields: changed } as unknown as Schema;
    expect(incompatibilities([...versions('daily-state-value'), planted])).not.toEqual([]);
  });

  test('the check lets a field with a default through', () => {
    const extra = { name: 'extra', type: ['null', 'long'], default: null };
    const grown = { ...DAILY_STATE_VALUE_SCHEMA, fields: [...fields(), extra] } as unknown as Schema;
    expect(incompatibilities([...versions('daily-state-value'), grown])).toEqual([]);
  });

  test('the types are those of the schemas', () => {
    const script = join(ROOT, 'scripts', 'contract-types.mjs');
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  test('name the published fields in order, and document each', () => {
    const names = DAILY_STATE_VALUE_SCHEMA.fields.map(({ name }) => name);
    expect(names.join(' ')).toBe(
      'id assignment_id batch_id container_id lifecycle_stage_id date day_number avg_weight_g population ' +
        'biomass_kg temp_c mortality_count feed_kg observed_fcr anchor_type sources confidence_scores ' +
        'last_computed_at anchor_residual_g revision',
    );
    const documented = [...DAILY_STATE_KEY_SCHEMA.fields, ...DAILY_STATE_VALUE_SCHEMA.fields];
    expect(documented.filter(({ doc }) => doc.length < 8)).toEqual([]);
  });
});

describe('a row on the wire', () => {
  const valueType = avsc.Type.forSchema(DAILY_STATE_VALUE_SCHEMA as unknown as Schema);
  const keyType = avsc.Type.forSchema(DAILY_STATE_KEY_SCHEMA as unknown as Schema);

  test('comes back as it went, every field of it', () => {
    const { key, value } = toAvro({ assignmentId: 12, day: 19_417, row: ROW });
    expect(keyType.fromBuffer(keyType.toBuffer(key))).toEqual({ assignment_id: 12, date: 19_417 });
    expect({ ...(valueType.fromBuffer(valueType.toBuffer(value)) as object) }).toEqual({
      id: 71,
      assignment_id: 12,
      batch_id: 3,
      container_id: 40,
      lifecycle_stage_id: null,
      date: 19_417,
      day_number: 91,
      avg_weight_g: 13.5,
      population: 3_000_000_000,
      biomass_kg: 40_500.07,
      temp_c: 8.25,
      mortality_count: 0,
      feed_kg: 0.1,
      observed_fcr: null,
      anchor_type: 'growth_sample',
      sources: { weight: 'measured', temp: 'interpolated' },
      confidence_scores: { weight: 1, temp: 0.7 },
      last_computed_at: 1_700_000_000_123,
      anchor_residual_g: -0.123456789,
      revision: 9_007_199_254_740_000,
    });
  });

  test('that is gone is a key without a value', () => {
    expect(toAvro({ assignmentId: 12, day: 19_417, row: null })).toEqual({
      key: { assignment_id: 12, date: 19_417 },
      value: null,
    });
  });

  test('is refused rather than rounded', () => {
    const row = { ...ROW, revision: 9_007_199_254_740_993n };
    expect(() => toAvro({ assignmentId: 12, day: 19_417, row })).toThrow(RangeError);
  });

  test('has its schemas under the subjects that clients look for', () => {
    const { key, value } = contractSubjects('farm.daily-state');
    expect([key.subject, value.subject]).toEqual(['farm.daily-state-key', 'farm.daily-state-value']);
  });
});

function fields(): { name: string; type: unknown }[] {
  return DAILY_STATE_VALUE_SCHEMA.fields.map((field) => ({ ...field }));
}
