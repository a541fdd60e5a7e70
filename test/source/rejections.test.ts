import { describe, expect, it } from 'vitest';
import { KEEP } from '../../src/domain/cdc.ts';
import type { Mapped, SourceRow } from '../../src/domain/cdc.ts';
import { isoToDay } from '../../src/domain/day.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import { mapChange } from '../../src/source/registry.ts';
import { sourceRow } from '../support/envelope-codec.ts';

function map(table: string, values: SourceRow, without: readonly string[] = []): Mapped {
  const after = sourceRow(table, 'newer', values);
  for (const column of without) delete after[column];
  return mapChange(
    { kind: 'change', table, key: { id: 1 }, after, committedMs: 0, snapshot: 'none' },
    DEFAULT_ENGINE_SETTINGS,
  );
}

function imageOf(mapped: Mapped): unknown {
  if (!mapped.ok) throw new Error(mapped.rejection.message);
  return mapped.change.after;
}

describe('a rejection', () => {
  it.each<[string, string, string, unknown]>([
    // A reference that no rule can do without.
    ['REC008', 'batch_growthsample', 'assignment_id', null],
    ['REC008', 'batch_batchcontainerassignment', 'batch_id', null],
    ['REC008', 'environmental_environmentalreading', 'parameter_id', null],
    ['REC008', 'scenario_projection_run', 'scenario_id', null],
    ['REC008', 'batch_growthsample', 'assignment_id', 0],
    ['REC008', 'batch_mortalityevent', 'assignment_id', 0],
    ['REC008', 'batch_growthsample', 'id', -1],
    // A column that must hold something.
    ['REC005', 'batch_growthsample', 'sample_date', null],
    ['REC005', 'environmental_environmentalreading', 'value', null],
    ['REC005', 'batch_batchcontainerassignment', 'is_active', null],
    // Values of the wrong make.
    ['REC006', 'inventory_feedingevent', 'amount_kg', 'NaN'],
    ['REC006', 'inventory_feedingevent', 'amount_kg', 'Infinity'],
    ['REC006', 'inventory_feedingevent', 'amount_kg', '-0.5000'],
    ['REC006', 'inventory_feedingevent', 'amount_kg', '1.00005'],
    ['REC006', 'inventory_feedingevent', 'amount_kg', '1,5'],
    ['REC006', 'inventory_feedingevent', 'amount_kg', ''],
    ['REC006', 'inventory_feedingevent', 'amount_kg', '900719925474.0993'],
    ['REC006', 'batch_mortalityevent', 'count', -1],
    ['REC006', 'batch_mortalityevent', 'count', 1.5],
    ['REC006', 'batch_mortalityevent', 'count', '7'],
    ['REC006', 'batch_growthsample', 'sample_size', -10],
    ['REC006', 'batch_growthsample', 'assignment_id', 2n ** 53n],
    ['REC006', 'batch_growthsample', 'sample_date', '2023-05-23'],
    ['REC006', 'scenario_tgcmodel', 'tgc_value', Number.NaN],
    ['REC006', 'scenario_tgcmodel', 'tgc_value', 'abc'],
    ['REC006', 'scenario_tgcmodel', 'tgc_value', ' '],
    ['REC006', 'scenario_temperaturereading', 'temperature', 1e10],
    ['REC006', 'scenario_temperaturereading', 'temperature', -1000.5],
    ['REC006', 'scenario_mortality_model_stage', 'daily_rate_percent', -1],
    ['REC006', 'scenario_mortality_model_stage', 'weekly_rate_percent', 101],
    ['REC006', 'scenario', 'initial_weight', -2e9],
    ['REC006', 'batch_growthsample', 'avg_weight_g', '1000000000.01'],
    ['REC006', 'scenario_mortalitymodel', 'frequency', 'monthly'],
    ['REC006', 'batch_batchcontainerassignment', 'is_active', 't'],
    ['REC006', 'batch_lifecyclestage', 'name', 6],
    ['REC006', 'health_treatment', 'treatment_date', '2023-05-23'],
    ['REC006', 'health_treatment', 'treatment_date', '2023-02-29T00:00:00Z'],
    ['REC006', 'health_treatment', 'treatment_date', 1_684_836_000_000],
    // Dates that no fact may carry.
    ['REC007', 'batch_batch', 'start_date', isoToDay('1949-12-31')],
    ['REC007', 'batch_batch', 'start_date', isoToDay('2201-01-01')],
    ['REC007', 'batch_batch', 'actual_end_date', 2_147_483_647],
    ['REC007', 'health_treatment', 'treatment_date', 'infinity'],
    ['REC007', 'health_treatment', 'treatment_date', '-infinity'],
    ['REC007', 'health_treatment', 'treatment_date', '+12023-05-23T00:00:00Z'],
    ['REC007', 'health_treatment', 'treatment_date', '0001-01-01T00:00:00Z'],
    ['REC007', 'scenario', 'created_at', '2201-06-01T00:00:00Z'],
  ])('%s: %s.%s = %s', (code, table, column, value) => {
    const mapped = map(table, { [column]: value });
    expect(mapped).toMatchObject({ ok: false, rejection: { code } });
    const message = mapped.ok ? '' : mapped.rejection.message;
    expect(message).toContain(`${table}.${column}`);
    expect(message).toContain(String(value).slice(0, 40));
  });

  it.each([
    ['REC005', 'batch_growthsample', 'sample_date'],
    ['REC005', 'batch_growthsample', 'id'],
    ['REC008', 'batch_growthsample', 'assignment_id'],
  ])('%s: %s without %s', (code, table, column) => {
    expect(map(table, {}, [column])).toMatchObject({
      ok: false,
      rejection: { code, message: `${table}.${column} is missing` },
    });
  });

  it.each([-0.1, 100.5])('REC006: a rate of mortality of %s %%', (rate) => {
    const message = `scenario_mortalitymodel.rate "${rate}" is no share in percent, 0 to 100`;
    expect(map('scenario_mortalitymodel', { frequency: 'daily', rate })).toMatchObject({
      ok: false,
      rejection: { code: 'REC006', message },
    });
    expect(map('scenario_mortalitymodel', { frequency: 'daily', rate: 100 })).toMatchObject({ ok: true });
  });

  it('is the first that was found', () => {
    const mapped = map('batch_growthsample', { assignment_id: null, sample_date: 10_000_000 });
    expect(mapped).toMatchObject({ ok: false, rejection: { code: 'REC008' } });
  });

  it('shows a long value in part', () => {
    const mapped = map('scenario_mortalitymodel', { frequency: 'x'.repeat(5000) });
    expect(mapped.ok ? 0 : mapped.rejection.message.length).toBeLessThan(200);
  });

  it('meets a projected day of neither scenario nor run', () => {
    expect(map('scenario_scenarioprojection', {}, ['projection_run_id'])).toMatchObject({
      ok: false,
      rejection: { code: 'REC008', message: expect.stringContaining('scenario_id, projection_run_id') },
    });
  });

  it('meets a delete whose key lacks a column', () => {
    const event = { kind: 'change', committedMs: null, snapshot: 'none', after: null } as const;
    const reading = { ...event, table: 'environmental_environmentalreading', key: { id: 1 } };
    const scenario = { ...event, table: 'scenario', key: { id: 1 } };
    expect(mapChange(reading, DEFAULT_ENGINE_SETTINGS)).toMatchObject({ rejection: { code: 'REC005' } });
    expect(mapChange(scenario, DEFAULT_ENGINE_SETTINGS)).toMatchObject({ rejection: { code: 'REC005' } });
  });
});

describe('tolerance', () => {
  it('takes an unchanged value out of line as kept', () => {
    const unavailable = '__debezium_unavailable_value';
    expect(imageOf(map('batch_batch', { batch_number: unavailable }))).toMatchObject({ batchNumber: KEEP });
    expect(imageOf(map('environmental_environmentalparameter', { name: unavailable }))).toMatchObject({
      name: KEEP,
      isTemperature: KEEP,
    });
  });

  it.each([
    ['LARGEST', 'LARGEST'],
    ['SMALLEST', 'SMALLEST'],
    ['AVERAGE', 'AVERAGE'],
    ['', 'AVERAGE'],
    ['RANDOM', 'AVERAGE'],
    [null, 'AVERAGE'],
  ])('takes the selection method %s for %s', (word, selection) => {
    expect(imageOf(map('batch_transferaction', { selection_method: word }))).toMatchObject({ selection });
  });

  it.each([
    ['temperature', true],
    ['TEMPERATURE', true],
    ['Water temperature', false],
    ['Dissolved Oxygen', false],
  ])('takes the parameter %s for a temperature: %s', (name, isTemperature) => {
    expect(imageOf(map('environmental_environmentalparameter', { name }))).toMatchObject({ isTemperature });
  });

  it.each(['PENDING', 'IN_PROGRESS', 'FAILED', 'SKIPPED'])('takes %s for not completed', (status) => {
    expect(imageOf(map('batch_transferaction', { status }))).toMatchObject({ completed: false });
  });

  it('takes longs that arrive as bigint, and decimals as numbers', () => {
    expect(
      imageOf(map('batch_growthsample', { id: 5n, assignment_id: 7n, avg_weight_g: 0.15 })),
    ).toMatchObject({
      id: 5,
      assignmentId: 7,
      weightE4: 1500,
    });
  });

  it('takes a double as text', () => {
    expect(imageOf(map('scenario_tgcmodel', { tgc_value: '0.00275' }))).toMatchObject({ tgc: 0.00275 });
  });
});
