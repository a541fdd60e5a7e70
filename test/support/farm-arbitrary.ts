/**
 * Small random farms as facts: several batches whose assignments share containers, pass fish around measured
 * and unmeasured (in circles too), with references that lead nowhere and values that are merely odd.
 */
import fc from 'fast-check';
import { isoToDay } from '../../src/domain/day.ts';
import type { Day } from '../../src/domain/day.ts';
import type { AssignmentFacts, BatchFacts, DailyTemperature } from '../../src/domain/engine-input.ts';
import type { Fact, FactKind, FactTypes, Id } from '../../src/domain/facts.ts';
import type { EngineSettings } from '../../src/domain/settings.ts';
import { assembleAssignment, assembleBatch } from '../../src/engine/assemble.ts';

/** One container's readings of one parameter on a day. */
export interface FarmReading extends DailyTemperature {
  readonly containerId: Id;
  readonly parameterId: Id;
}

export interface Farm {
  readonly facts: Map<FactKind, Map<Id, Fact>>;
  readonly readings: FarmReading[];
  readonly horizon: Day;
  readonly settings: EngineSettings;
}

export const FIRST_DAY = isoToDay('2024-03-01');
const SPAN = 24;
const CONTAINERS = 3;

const day = fc.integer({ min: FIRST_DAY - 2, max: FIRST_DAY + SPAN });
const id = (max: number) => fc.integer({ min: 1, max });
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 6 });
/** Mostly null. */
const rarely = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });
const gramsE4 = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 500, max: 60_000_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 5_000_000_000) },
);
const fish = fc.oneof(
  { weight: 4, arbitrary: fc.nat({ max: 20_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 300, 2_000_000) },
);
const stageName = fc.constantFrom(
  'Egg&Alevin',
  'alevin',
  'egg',
  'Fry',
  'Parr',
  'SMOLT',
  'Post-Smolt',
  'post_smolt',
  'Adult',
  'harvest',
);
const tgcValue = fc.constantFrom(0, 0.00275, 0.0099, 0.01, 0.025, 0.99, 1, 2.75, 3.1, -0.2);
const exponent = orNull(fc.constantFrom(0.33, 0.66, 1, 1.1));
const percent = fc.constantFrom(0, 0.01, 0.03, 0.15, 1.045, 12, 150);

const BATCHES = 3;
const ASSIGNMENTS = 7;
const anAssignment = id(ASSIGNMENTS);

type Drawn<K extends FactKind> = { [F in Exclude<keyof FactTypes[K], 'id'>]: fc.Arbitrary<FactTypes[K][F]> };

/** How a kind's facts are drawn, without their ids; references may name an id that nothing has. */
const KINDS: { readonly [K in FactKind]?: { readonly most: number; readonly fields: Drawn<K> } } = {
  batch: {
    most: BATCHES,
    fields: {
      batchNumber: fc.constant('B'),
      speciesId: fc.constant(1),
      status: fc.constant('ACTIVE'),
      startDay: fc.integer({ min: FIRST_DAY - 3, max: FIRST_DAY + 4 }),
      endDay: rarely(fc.integer({ min: FIRST_DAY + 8, max: FIRST_DAY + SPAN })),
      pinnedScenarioId: rarely(id(4)),
      pinnedRunId: rarely(id(3)),
    },
  },
  assignment: {
    most: ASSIGNMENTS,
    fields: {
      batchId: id(BATCHES),
      containerId: id(CONTAINERS),
      stageId: orNull(id(6)),
      populationCount: fish,
      avgWeightE4: orNull(gramsE4),
      startDay: fc.integer({ min: FIRST_DAY - 2, max: FIRST_DAY + 6 }),
      departureDay: rarely(fc.integer({ min: FIRST_DAY, max: FIRST_DAY + SPAN })),
      isActive: fc.boolean(),
    },
  },
  stage: {
    most: 7,
    fields: {
      speciesId: fc.constantFrom(1, 1, 1, 2),
      name: stageName,
      order: id(6),
      minWeightE4: orNull(fc.constantFrom(0, 500, 5000, 60_000)),
      maxWeightE4: orNull(fc.constantFrom(5000, 60_000, 600_000, 1_800_000)),
    },
  },
  growth_sample: {
    most: 8,
    fields: {
      assignmentId: anAssignment,
      day,
      sampleSize: orNull(fc.nat({ max: 50 })),
      weightE4: orNull(gramsE4),
    },
  },
  transfer: {
    most: 12,
    fields: {
      workflowId: orNull(id(3)),
      sourceId: id(ASSIGNMENTS + 1),
      destId: orNull(anAssignment),
      count: fish,
      deaths: fc.nat({ max: 20 }),
      completed: fc.constantFrom(true, true, true, false),
      day: orNull(day),
      weightE4: fc.option(gramsE4, { nil: null, freq: 2 }),
      sampleSize: orNull(fc.nat({ max: 30 })),
      selection: fc.constantFrom('AVERAGE', 'LARGEST', 'SMALLEST'),
    },
  },
  egg_delivery: {
    most: 3,
    fields: {
      destId: anAssignment,
      completed: fc.constantFrom(true, true, false),
      eggCount: orNull(fish),
      day: orNull(day),
    },
  },
  harvest_event: {
    most: 2,
    fields: { assignmentId: orNull(anAssignment), batchId: orNull(id(BATCHES)), day },
  },
  harvest_lot: { most: 4, fields: { eventId: id(3), count: fish } },
  treatment: {
    most: 10,
    fields: {
      batchId: id(BATCHES),
      containerId: orNull(id(CONTAINERS)),
      assignmentId: orNull(anAssignment),
      day,
      treatmentType: fc.constant('vaccination'),
      includesWeighing: fc.constantFrom(true, true, true, false),
      samplingEventId: orNull(id(4)),
    },
  },
  sampling_event: { most: 4, fields: { assignmentId: orNull(anAssignment), day } },
  fish_observation: { most: 14, fields: { samplingEventId: id(4), weightE4: orNull(gramsE4) } },
  mortality: {
    most: 14,
    fields: {
      batchId: id(BATCHES),
      assignmentId: fc.option(anAssignment, { nil: null, freq: 2 }),
      day,
      count: fc.oneof(fc.nat({ max: 400 }), fc.constantFrom(0, 1, 30_000)),
    },
  },
  feeding: {
    most: 14,
    fields: {
      batchId: id(BATCHES),
      assignmentId: fc.option(anAssignment, { nil: null, freq: 2 }),
      containerId: id(CONTAINERS),
      day,
      amountE4: fc.oneof(fc.nat({ max: 3_000_000 }), fc.constantFrom(0, 1, 7, 9_999_999_999)),
    },
  },
  parameter: {
    most: 3,
    fields: { name: fc.constant('p'), isTemperature: fc.constantFrom(true, true, false) },
  },
  scenario: {
    most: 4,
    fields: {
      name: fc.constant('s'),
      createdAtUs: id(2),
      batchId: orNull(id(BATCHES)),
      initialWeight: orNull(fc.constantFrom(0, 0.1, 5)),
      tgcModelId: orNull(id(3)),
      mortalityModelId: orNull(id(3)),
      constraintSetId: orNull(id(3)),
    },
  },
  projection_run: { most: 2, fields: { scenarioId: id(4) } },
  tgc_model: {
    most: 4,
    fields: { tgc: tgcValue, exponentN: exponent, exponentM: exponent, profileId: orNull(id(2)) },
  },
  tgc_stage: {
    most: 5,
    fields: { modelId: id(3), stageName, tgc: orNull(tgcValue), exponentN: exponent, exponentM: exponent },
  },
  profile: { most: 2, fields: { name: fc.constant('p') } },
  profile_reading: {
    most: 6,
    fields: {
      profileId: id(2),
      dayNumber: fc.integer({ min: 0, max: SPAN }),
      temperature: fc.constantFrom(-1, 0, 6.562, 8.125, 11.005),
    },
  },
  mortality_model: {
    most: 4,
    fields: { frequency: fc.constantFrom('daily', 'weekly'), ratePercent: percent },
  },
  mortality_stage: {
    most: 4,
    fields: { modelId: id(2), stageName, dailyPercent: orNull(percent), weeklyPercent: orNull(percent) },
  },
  constraint_set: { most: 2, fields: { isActive: fc.constantFrom(true, true, false) } },
  stage_constraint: {
    most: 5,
    fields: {
      setId: id(2),
      stageName,
      minWeightG: orNull(fc.constantFrom(0, 0.05, 6)),
      maxWeightG: orNull(fc.constantFrom(0.6, 6, 190)),
    },
  },
  planned_activity: {
    most: 6,
    fields: {
      batchId: id(BATCHES),
      containerId: orNull(id(CONTAINERS)),
      activityType: fc.constantFrom('VACCINATION', 'TREATMENT', 'TRANSFER'),
      completed: fc.boolean(),
      completedDay: orNull(day),
      workflowId: orNull(id(3)),
    },
  },
  manual_anchor: {
    most: 3,
    fields: {
      assignmentId: anAssignment,
      day,
      weightE4: gramsE4,
      author: fc.constant('a'),
      note: fc.constant(null),
    },
  },
};

/** Kinds of which farms hold facts. */
export const FARM_KINDS = Object.keys(KINDS) as FactKind[];

function manyOf(kind: FactKind): fc.Arbitrary<Map<Id, Fact>> {
  const { most, fields } = KINDS[kind] as { most: number; fields: Record<string, fc.Arbitrary<unknown>> };
  const least = Math.ceil(most / 2);
  return fc
    .array(fc.record(fields), { minLength: least, maxLength: most, size: 'max' })
    .map((drawn) => new Map(drawn.map((fact, i) => [i + 1, { id: i + 1, ...fact } as Fact])));
}

export const readingArbitrary: fc.Arbitrary<FarmReading> = fc.record({
  containerId: id(CONTAINERS),
  parameterId: id(3),
  day: fc.integer({ min: FIRST_DAY - 8, max: FIRST_DAY + SPAN + 8 }),
  sumE4: fc.oneof(fc.integer({ min: 10_000, max: 400_000 }), fc.constantFrom(0, -25_000)),
  count: id(3),
});

const settings: fc.Arbitrary<EngineSettings> = fc.record({
  timeZone: fc.constant('UTC'),
  growthModel: fc.constantFrom('auto', 'auto', 'auto', 'power', 'cube-root'),
  recordedDeathsInCount: fc.constantFrom(false, false, true),
});

export function farmArbitrary(): fc.Arbitrary<Farm> {
  return fc
    .record({
      kinds: fc.tuple(...FARM_KINDS.map(manyOf)),
      readings: fc.uniqueArray(readingArbitrary, {
        minLength: 8,
        maxLength: 40,
        size: 'max',
        selector: (r) => `${r.containerId}/${r.parameterId}/${r.day}`,
      }),
      horizon: fc.integer({ min: FIRST_DAY + 4, max: FIRST_DAY + SPAN + 2 }),
      settings,
    })
    .map(({ kinds, ...rest }) => ({
      facts: new Map(FARM_KINDS.map((kind, i) => [kind, kinds[i]!])),
      ...rest,
    }));
}

/** A fact of a kind as another farm might hold it: for changes. */
export function factArbitrary(kind: FactKind, factId: Id): fc.Arbitrary<Fact> {
  const { fields } = KINDS[kind] as { fields: Record<string, fc.Arbitrary<unknown>> };
  return fc.record(fields).map((fact) => ({ id: factId, ...fact }) as Fact);
}

/** The container's temperatures, pooled over the parameters that are named so. */
export function temperaturesOf(farm: Farm): (containerId: Id) => DailyTemperature[] {
  const parameters = farm.facts.get('parameter') as Map<Id, FactTypes['parameter']> | undefined;
  return (containerId) => {
    const pooled = new Map<Day, { day: Day; sumE4: number; count: number }>();
    for (const { day: on, sumE4, count, ...where } of farm.readings) {
      if (where.containerId !== containerId || !parameters?.get(where.parameterId)?.isTemperature) continue;
      const sum = pooled.get(on) ?? { day: on, sumE4: 0, count: 0 };
      pooled.set(on, { day: on, sumE4: sum.sumE4 + sumE4, count: sum.count + count });
    }
    return [...pooled.values()].sort((a, b) => a.day - b.day);
  };
}

export interface AssembledFarm {
  readonly batches: BatchFacts[];
  readonly factsOf: (assignmentId: Id) => AssignmentFacts;
  readonly horizon: Day;
  readonly settings: EngineSettings;
}

/** The farm as the engine's input. */
export function assembleFarm(farm: Farm): AssembledFarm {
  const temperatures = temperaturesOf(farm);
  return {
    batches: [...farm.facts.get('batch')!.keys()].map((batchId) => assembleBatch(farm.facts, batchId)!),
    factsOf: (assignmentId) => assembleAssignment(farm.facts, temperatures, assignmentId)!,
    horizon: farm.horizon,
    settings: farm.settings,
  };
}
