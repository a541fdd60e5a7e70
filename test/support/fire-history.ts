/**
 * Whatever an operator may do to a small farm, one source transaction after the other, from a seed: entries, late
 * corrections, deletes, moves of fish, changes of models and pins, bursts. What a statement works on it picks itself
 * from the rows that are there, so that the same seed does the same to the same farm and nothing need be remembered.
 */
import type { Random } from './sim-random.ts';
import type { PlantedLetter } from './pipeline-check.ts';

export interface FarmTransaction {
  readonly name: string;
  readonly statements: readonly string[];
}

const FIRST_DAY = '2024-01-01';
const DAYS = 91;
/** Ids of what the history plants, which it leaves alone. */
const PLANTED_FROM = 9_000_000;

/** Identities begin behind the rows that stand there already. */
export const RAISE_IDENTITIES = `
  select setval(pg_get_serial_sequence(format('%I.%I', table_schema, table_name), column_name), 100000)
  from information_schema.columns where is_identity = 'YES' and table_schema = 'public'`;

/** Rows that are no facts, each a dead letter for ever. */
export const POISON: readonly { readonly statement: string; readonly letter: PlantedLetter }[] = [
  {
    statement: `insert into environmental_environmentalreading (id, container_id, parameter_id, reading_time, value)
      values (${PLANTED_FROM}, 4, 1, '2024-03-04 12:00+00', 'NaN')`,
    letter: 'environmental_environmentalreading REC006 open',
  },
  {
    statement: `insert into environmental_environmentalreading (id, container_id, parameter_id, reading_time, value)
      values (${PLANTED_FROM + 1}, 4, 1, 'infinity', 9)`,
    letter: 'environmental_environmentalreading REC007 open',
  },
];

export class History {
  readonly #random: Random;
  readonly counts = new Map<string, number>();

  constructor(random: Random) {
    this.#random = random;
  }

  next(): FarmTransaction {
    const name = this.#random.weighted(WEIGHTS);
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    return { name, statements: OPERATIONS[name](new Draw(this.#random)) };
  }
}

/** Values and rows, drawn. */
class Draw {
  readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  /** The id of some row for which the condition holds; null where there is none. */
  one(table: string, condition = 'true', key = 'id'): string {
    const place = this.random.int(0, 1_000_000);
    const from = `from ${table} where (${condition})`;
    return `(select ${key} ${from} order by ${key} offset ${place} % greatest((select count(*) ${from}), 1) limit 1)`;
  }

  day(): string {
    return `(date '${FIRST_DAY}' + ${this.random.int(0, DAYS - 1)})`;
  }

  instant(): string {
    return `(timestamptz '${FIRST_DAY} 00:00+00' + ${this.random.int(0, DAYS * 86_400)} * interval '1 second')`;
  }

  number(least: number, most: number, digits = 2): string {
    return (least + this.random.next() * (most - least)).toFixed(digits);
  }

  int(least: number, most: number): number {
    return this.random.int(least, most);
  }

  /** SQL text of one of these. */
  pick(...from: readonly string[]): string {
    return this.random.pick(from);
  }
}

type Operation = (draw: Draw) => readonly string[];

const ASSIGNMENT = 'batch_batchcontainerassignment';
const READING = 'environmental_environmentalreading';
const MINE = `id < ${PLANTED_FROM}`;

/** An insert that does nothing where what it refers to is not there. */
function insert(table: string, columns: string, values: string, needs: string): string {
  return `insert into ${table} (${columns}) select ${values} from (select ${needs} as it) x where x.it is not null`;
}

const OPERATIONS = {
  sample: (d) => [
    insert(
      'batch_growthsample',
      'assignment_id, sample_date, sample_size, avg_weight_g',
      `x.it, ${d.day()}, ${d.int(1, 60)}, ${d.pick('null', d.number(1, 90), d.number(1, 90))}`,
      d.one(ASSIGNMENT),
    ),
  ],
  correctSample: (d) => [
    `update batch_growthsample set avg_weight_g = ${d.number(1, 90)}, sample_date = ${d.pick('sample_date', d.day())}
     where id = ${d.one('batch_growthsample')}`,
  ],
  moveSample: (d) => [
    `update batch_growthsample set assignment_id = ${d.one(ASSIGNMENT)} where id = ${d.one('batch_growthsample')}`,
  ],
  deleteSample: (d) => [`delete from batch_growthsample where id = ${d.one('batch_growthsample')}`],
  mortality: (d) => [
    insert(
      'batch_mortalityevent',
      'batch_id, event_date, count, cause, assignment_id',
      `a.batch_id, ${d.day()}, ${d.int(0, 40)}, 'UNKNOWN', ${d.pick('null', 'a.id')}`,
      d.one(ASSIGNMENT),
    ).replace('where x.it is not null', `join ${ASSIGNMENT} a on a.id = x.it`),
  ],
  correctMortality: (d) => [
    `update batch_mortalityevent set count = ${d.int(0, 60)}, event_date = ${d.pick('event_date', d.day())}
     where id = ${d.one('batch_mortalityevent')}`,
  ],
  deleteMortality: (d) => [`delete from batch_mortalityevent where id = ${d.one('batch_mortalityevent')}`],
  feeding: (d) => [
    insert(
      'inventory_feedingevent',
      'batch_id, batch_assignment_id, container_id, feeding_date, feeding_time, amount_kg',
      `a.batch_id, ${d.pick('null', 'a.id')}, a.container_id, ${d.day()}, '08:00', ${d.number(0, 9, 4)}`,
      d.one(ASSIGNMENT),
    ).replace('where x.it is not null', `join ${ASSIGNMENT} a on a.id = x.it`),
  ],
  correctFeeding: (d) => [
    `update inventory_feedingevent set amount_kg = ${d.number(0, 9, 4)} where id = ${d.one('inventory_feedingevent')}`,
  ],
  deleteFeedings: (d) => [
    `delete from inventory_feedingevent where id % 97 = ${d.int(0, 96)} and feeding_date > ${d.day()}`,
  ],
  readings: (d) => [
    `insert into ${READING} (container_id, parameter_id, reading_time, value)
     select ${d.one('infrastructure_container')}, ${d.pick('1', '1', '2')}, ${d.instant()} + g * interval '10 minutes',
       ${d.number(2, 16, 4)} + g * 0.0125 from generate_series(1, ${d.pick('3', '20', '300')}) g`,
  ],
  correctReading: (d) => [
    `update ${READING} set value = ${d.number(0, 18, 4)} where ${MINE} and id = ${d.one(READING, MINE)}`,
  ],
  moveReading: (d) => [
    `update ${READING} set reading_time = ${d.instant()}, container_id = ${d.pick('container_id', 'null', '3')}
     where ${MINE} and id = ${d.one(READING, MINE)}`,
  ],
  deleteReadings: (d) => [`delete from ${READING} where ${MINE} and id % 89 = ${d.int(0, 88)}`],
  transfer: (d) => [
    insert(
      'batch_transferaction',
      `workflow_id, source_assignment_id, dest_assignment_id, transferred_count, mortality_during_transfer, status,
       actual_execution_date, measured_avg_weight_g, measured_sample_size, measured_notes, selection_method`,
      `${d.int(1, 9)}, x.it, ${d.pick('null', d.one(ASSIGNMENT), d.one(ASSIGNMENT))}, ${d.int(0, 900)}, ${d.int(0, 20)},
       ${d.pick(`'PENDING'`, `'COMPLETED'`, `'COMPLETED'`)}, ${d.day()}, ${d.pick('null', d.number(1, 90))},
       ${d.pick('null', '30')}, '', ${d.pick(`'AVERAGE'`, `'LARGEST'`, `'SMALLEST'`)}`,
      d.one(ASSIGNMENT),
    ),
  ],
  moveIntoNew: (d) => {
    const workflow = d.int(10, 1_000_000);
    return [
      insert(
        ASSIGNMENT,
        'batch_id, container_id, lifecycle_stage_id, population_count, avg_weight_g, biomass_kg, assignment_date, is_active',
        `a.batch_id, ${d.one('infrastructure_container')}, a.lifecycle_stage_id, ${d.int(10, 2_000)},
         ${d.pick('null', d.number(1, 60))}, 0, ${d.day()}, true`,
        d.one(ASSIGNMENT),
      ).replace('where x.it is not null', `join ${ASSIGNMENT} a on a.id = x.it`),
      insert(
        'batch_transferaction',
        `workflow_id, source_assignment_id, dest_assignment_id, transferred_count, mortality_during_transfer, status,
         actual_execution_date, measured_notes, selection_method`,
        `${workflow}, (select o.id from ${ASSIGNMENT} o where o.batch_id = n.batch_id and o.id <> n.id order by o.id limit 1),
         n.id, n.population_count, ${d.int(0, 5)}, 'COMPLETED', n.assignment_date, '', 'AVERAGE'`,
        `(select max(id) from ${ASSIGNMENT})`,
      ).replace(
        'where x.it is not null',
        `join ${ASSIGNMENT} n on n.id = x.it
         where exists (select from ${ASSIGNMENT} o where o.batch_id = n.batch_id and o.id <> n.id)`,
      ),
    ];
  },
  correctTransfer: (d) => [
    `update batch_transferaction set transferred_count = ${d.int(0, 900)}, status = ${d.pick('status', `'COMPLETED'`)},
       actual_execution_date = ${d.pick('actual_execution_date', d.day())}, measured_avg_weight_g = ${d.pick('null', d.number(1, 90))}
     where id = ${d.one('batch_transferaction')}`,
  ],
  deleteTransfer: (d) => [`delete from batch_transferaction where id = ${d.one('batch_transferaction')}`],
  assignment: (d) => [
    `update ${ASSIGNMENT} set population_count = ${d.int(0, 9_000)}, avg_weight_g = ${d.pick('null', 'avg_weight_g', d.number(1, 60))}
     where id = ${d.one(ASSIGNMENT)}`,
  ],
  endAssignment: (d) => [
    `update ${ASSIGNMENT} set is_active = not is_active, departure_date = case when is_active then ${d.day()} end
     where id = ${d.one(ASSIGNMENT)}`,
  ],
  moveAssignment: (d) => [
    `update ${ASSIGNMENT} set container_id = ${d.one('infrastructure_container')}, assignment_date = ${d.pick('assignment_date', d.day())},
       lifecycle_stage_id = ${d.one('batch_lifecyclestage')} where id = ${d.one(ASSIGNMENT)}`,
  ],
  deleteAssignment: (d) => {
    const id = `(select max(id) from ${ASSIGNMENT} where id > 100000)`;
    return [
      `create temporary table doomed on commit drop as select id from ${ASSIGNMENT} where id = ${id} and ${d.int(0, 1)} = 1`,
      `delete from batch_growthsample where assignment_id in (select id from doomed)`,
      `delete from batch_transferaction where source_assignment_id in (select id from doomed)`,
      `update batch_transferaction set dest_assignment_id = null where dest_assignment_id in (select id from doomed)`,
      `update batch_mortalityevent set assignment_id = null where assignment_id in (select id from doomed)`,
      `update inventory_feedingevent set batch_assignment_id = null where batch_assignment_id in (select id from doomed)`,
      `update health_treatment set batch_assignment_id = null where batch_assignment_id in (select id from doomed)`,
      `update health_healthsamplingevent set assignment_id = null where assignment_id in (select id from doomed)`,
      `update harvest_harvestevent set assignment_id = null where assignment_id in (select id from doomed)`,
      `delete from batch_creationaction where dest_assignment_id in (select id from doomed)`,
      `delete from ${ASSIGNMENT} where id in (select id from doomed)`,
    ];
  },
  batch: (d) => [
    `insert into batch_batch (batch_number, species_id, lifecycle_stage_id, status, start_date)
     select 'F' || (count(*) + 1) || '-' || ${d.int(1, 1_000_000)}, 1, 2, 'ACTIVE', ${d.day()} from batch_batch having count(*) < 12`,
  ],
  newStay: (d) => [
    insert(
      ASSIGNMENT,
      'batch_id, container_id, lifecycle_stage_id, population_count, avg_weight_g, biomass_kg, assignment_date, is_active',
      `x.it, ${d.one('infrastructure_container')}, ${d.one('batch_lifecyclestage')}, ${d.int(0, 9_000)},
       ${d.pick('null', d.number(1, 60))}, 0, ${d.day()}, true`,
      d.one('batch_batch'),
    ).concat(` and (select count(*) from ${ASSIGNMENT}) < 60`),
  ],
  endBatch: (d) => [
    `update batch_batch set actual_end_date = ${d.pick('null', d.day())}, start_date = ${d.pick('start_date', 'start_date', d.day())}
     where id = ${d.one('batch_batch')}`,
  ],
  pin: (d) => [
    `update batch_batch set pinned_projection_run_id = ${d.pick('null', d.one('scenario_projection_run', 'true', 'run_id'))}
     where id = ${d.one('batch_batch')}`,
  ],
  growthModel: (d) => [
    `update scenario_tgcmodel set tgc_value = ${d.number(1, 4, 3)} where model_id = ${d.one('scenario_tgcmodel', 'true', 'model_id')}`,
  ],
  growthStage: (d) => [
    `update scenario_tgc_model_stage set tgc_value = ${d.number(1, 4, 4)} where id = ${d.one('scenario_tgc_model_stage')}`,
  ],
  profile: (d) => [
    `update scenario_temperaturereading set temperature = ${d.number(1, 18, 3)}
     where reading_id = ${d.one('scenario_temperaturereading', 'true', 'reading_id')}`,
  ],
  mortalityModel: (d) => [
    `update scenario_mortalitymodel set rate = ${d.number(0, 1, 3)}, frequency = ${d.pick(`'daily'`, `'weekly'`)}`,
  ],
  scenario: (d) => [
    `update scenario set batch_id = ${d.one('batch_batch')}, tgc_model_id = ${d.pick('1', '2')}, initial_weight = ${d.number(0.2, 20)}
     where scenario_id = ${d.one('scenario', 'true', 'scenario_id')}`,
  ],
  constraint: (d) => [
    `update scenario_stage_constraint set max_weight_g = ${d.number(5, 90)} where id = ${d.one('scenario_stage_constraint')}`,
  ],
  treatment: (d) => [
    insert(
      'health_healthsamplingevent',
      'assignment_id, sampling_date',
      `x.it, ${d.day()}`,
      d.one(ASSIGNMENT),
    ),
    insert(
      'health_individualfishobservation',
      'sampling_event_id, weight_g',
      `x.it, ${d.pick('null', d.number(1, 90))}`,
      '(select max(id) from health_healthsamplingevent)',
    ),
    insert(
      'health_treatment',
      'batch_id, container_id, batch_assignment_id, treatment_date, treatment_type, includes_weighing, sampling_event_id',
      `a.batch_id, ${d.pick('null', 'a.container_id')}, ${d.pick('null', 'a.id')}, ${d.instant()}, 'VACCINATION', true,
       (select max(id) from health_healthsamplingevent)`,
      d.one(ASSIGNMENT),
    ).replace('where x.it is not null', `join ${ASSIGNMENT} a on a.id = x.it`),
  ],
  observation: (d) => [
    `update health_individualfishobservation set weight_g = ${d.pick('null', d.number(1, 90))}
     where id = ${d.one('health_individualfishobservation')}`,
  ],
  deleteTreatment: (d) => [`delete from health_treatment where id = ${d.one('health_treatment')}`],
  harvest: (d) => [
    insert(
      'harvest_harvestevent',
      'event_date, assignment_id, batch_id',
      `${d.instant()}, a.id, a.batch_id`,
      d.one(ASSIGNMENT),
    ).replace('where x.it is not null', `join ${ASSIGNMENT} a on a.id = x.it`),
    insert(
      'harvest_harvestlot',
      'event_id, unit_count, live_weight_kg',
      `x.it, ${d.int(0, 700)}, 10`,
      '(select max(id) from harvest_harvestevent)',
    ),
  ],
  plan: (d) => [
    `update planning_plannedactivity set status = ${d.pick(`'COMPLETED'`, `'PENDING'`)}, completed_at = ${d.pick('null', d.instant())}
     where id = ${d.one('planning_plannedactivity')}`,
  ],
  stage: (d) => [
    `update batch_lifecyclestage set expected_weight_max_g = ${d.number(5, 200)} where id = ${d.one('batch_lifecyclestage')}`,
  ],
  nothing: (d) => [`update batch_growthsample set avg_weight_g = avg_weight_g where id % 3 = ${d.int(0, 2)}`],
} as const satisfies Record<string, Operation>;

type OperationName = keyof typeof OPERATIONS;

const RARE: Partial<Record<OperationName, number>> = {
  sample: 8,
  correctSample: 8,
  mortality: 8,
  feeding: 8,
  readings: 4,
  transfer: 3,
  batch: 0.5,
  endBatch: 0.3,
  endAssignment: 0.5,
  deleteAssignment: 0.3,
};

const WEIGHTS = Object.fromEntries(
  (Object.keys(OPERATIONS) as OperationName[]).map((name) => [name, RARE[name] ?? 1]),
) as Record<OperationName, number>;
