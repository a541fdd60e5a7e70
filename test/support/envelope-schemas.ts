/**
 * Avro schemas as Debezium's Postgres connector makes them of the source's tables, for both generations:
 * numeric as string, dates as days, timestamptz as ISO text, serial keys with a default.
 */
export type Generation = 'older' | 'newer';

/** Column types as the source declares them; `?` allows null. */
const TABLES: Readonly<Record<string, string>> = {
  batch_batch:
    'id:key batch_number:text species_id:long? lifecycle_stage_id:long? status:text batch_type:text start_date:date expected_end_date:date? actual_end_date:date? notes:text <pinned_scenario_id:long? >pinned_projection_run_id:long? created_at:timestamptz updated_at:timestamptz',
  batch_batchcontainerassignment:
    'id:key batch_id:long container_id:long lifecycle_stage_id:long? population_count:int avg_weight_g:numeric? biomass_kg:numeric assignment_date:date departure_date:date? is_active:bool notes:text created_at:timestamptz',
  batch_lifecyclestage:
    'id:key species_id:long? name:text order:int expected_weight_min_g:numeric? expected_weight_max_g:numeric? description:text',
  infrastructure_container: 'id:key name:text hall_id:long? area_id:long? volume_m3:numeric active:bool',
  batch_growthsample:
    'id:key assignment_id:long sample_date:date sample_size:int? avg_weight_g:numeric? std_deviation_weight:numeric? condition_factor:numeric? notes:text?',
  batch_transferaction:
    'id:key workflow_id:long? source_assignment_id:long dest_assignment_id:long? transferred_count:int mortality_during_transfer:int status:text planned_date:date? actual_execution_date:date? measured_avg_weight_g:numeric? measured_sample_size:int? selection_method:text? measured_notes:text',
  batch_creationaction:
    'id:key dest_assignment_id:long status:text egg_count_planned:int egg_count_actual:int? mortality_on_arrival:int actual_delivery_date:date?',
  harvest_harvestevent: 'id:key event_date:timestamptz assignment_id:long? batch_id:long?',
  harvest_harvestlot: 'id:key event_id:long unit_count:int live_weight_kg:numeric',
  health_treatment:
    'id:key batch_id:long container_id:long? batch_assignment_id:long? treatment_date:timestamptz treatment_type:text? includes_weighing:bool sampling_event_id:long?',
  health_healthsamplingevent: 'id:key assignment_id:long? sampling_date:date notes:text?',
  health_individualfishobservation: 'id:key sampling_event_id:long fish_identifier:text weight_g:numeric?',
  batch_mortalityevent: 'id:key batch_id:long >assignment_id:long? event_date:date count:int cause:text',
  inventory_feedingevent:
    'id:key batch_id:long batch_assignment_id:long? container_id:long feeding_date:date feeding_time:time amount_kg:numeric',
  environmental_environmentalparameter: 'id:key name:text unit:text',
  environmental_environmentalreading:
    'id:key container_id:long? parameter_id:long reading_time:timestamptz! value:numeric is_manual:bool notes:text',
  scenario:
    'scenario_id:key name:text created_at:timestamptz start_date:date duration_days:int batch_id:long? initial_weight:double? initial_count:int tgc_model_id:long fcr_model_id:long mortality_model_id:long biological_constraints_id:long?',
  '>scenario_projection_run': 'run_id:key scenario_id:long run_number:int run_date:timestamptz',
  scenario_scenarioprojection:
    'projection_id:key <scenario_id:long >projection_run_id:long projection_date:date day_number:int average_weight:double population:double biomass:double',
  scenario_tgcmodel:
    'model_id:key name:text tgc_value:double exponent_n:double exponent_m:double profile_id:long',
  scenario_tgc_model_stage:
    'id:key tgc_model_id:long lifecycle_stage:text tgc_value:numeric temperature_exponent:numeric weight_exponent:numeric',
  scenario_temperatureprofile: 'profile_id:key name:text',
  scenario_temperaturereading: 'reading_id:key profile_id:long day_number:int temperature:double',
  scenario_mortalitymodel: 'model_id:key name:text frequency:text rate:double',
  scenario_mortality_model_stage:
    'id:key mortality_model_id:long lifecycle_stage:text daily_rate_percent:numeric weekly_rate_percent:numeric?',
  scenario_biological_constraints: 'id:key name:text is_active:bool',
  scenario_stage_constraint:
    'id:key constraint_set_id:long lifecycle_stage:text min_weight_g:numeric? max_weight_g:numeric?',
  '>planning_activitytemplate':
    'id:key name:text activity_type:text trigger_type:text day_offset:int? weight_threshold_g:numeric? target_lifecycle_stage_id:long? is_active:bool',
  '>planning_plannedactivity':
    'id:key batch_id:long container_id:long? activity_type:text due_date:date status:text completed_at:timestamptz? transfer_workflow_id:long?',
};

const AVRO_TYPES: Readonly<Record<string, unknown>> = {
  key: { type: 'long', 'connect.default': 0 },
  long: 'long',
  int: 'int',
  text: 'string',
  numeric: 'string',
  double: 'double',
  bool: 'boolean',
  date: { type: 'int', 'connect.version': 1, 'connect.name': 'io.debezium.time.Date' },
  time: { type: 'long', 'connect.version': 1, 'connect.name': 'io.debezium.time.MicroTime' },
  timestamptz: { type: 'string', 'connect.version': 1, 'connect.name': 'io.debezium.time.ZonedTimestamp' },
};

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  /** Part of the primary key. */
  readonly isKey: boolean;
}

/** The tables that the generation has, in no order of meaning. */
export function tablesOf(generation: Generation): string[] {
  return Object.keys(TABLES)
    .filter((name) => !name.startsWith('>') || generation === 'newer')
    .map((name) => name.replace('>', ''));
}

export function columnsOf(table: string, generation: Generation): Column[] {
  const text = TABLES[table] ?? TABLES[`>${table}`] ?? '';
  const absent = generation === 'older' ? '>' : '<';
  return text
    .split(' ')
    .filter((column) => !column.startsWith(absent))
    .map((column) => {
      const [name = '', type = ''] = column.replace(/^[<>]/, '').split(':');
      return {
        name,
        type: type.replace(/[?!]$/, ''),
        nullable: type.endsWith('?'),
        isKey: type === 'key' || type.endsWith('!'),
      };
    });
}

export function keySchema(prefix: string, table: string, generation: Generation): object {
  const fields = columnsOf(table, generation)
    .filter((column) => column.isKey)
    .map(fieldOf);
  return { type: 'record', name: 'Key', namespace: `${prefix}.public.${table}`, fields };
}

export function envelopeSchema(prefix: string, table: string, generation: Generation): object {
  const namespace = `${prefix}.public.${table}`;
  const row = { type: 'record', name: 'Value', fields: columnsOf(table, generation).map(fieldOf) };
  const optional = (name: string, type: unknown): object => ({ name, type: ['null', type], default: null });
  return {
    type: 'record',
    name: 'Envelope',
    namespace,
    fields: [
      optional('before', row),
      optional('after', 'Value'),
      { name: 'source', type: SOURCE },
      optional('transaction', TRANSACTION),
      { name: 'op', type: 'string' },
      optional('ts_ms', 'long'),
      optional('ts_us', 'long'),
      optional('ts_ns', 'long'),
    ],
    'connect.version': 2,
  };
}

function fieldOf({ name, type, nullable }: Column): object {
  const avro = AVRO_TYPES[type];
  if (nullable) return { name, type: ['null', avro], default: null };
  return type === 'key' ? { name, type: avro, default: 0 } : { name, type: avro };
}

const SNAPSHOT = {
  type: 'string',
  'connect.version': 1,
  'connect.parameters': {
    allowed: 'true,first,first_in_data_collection,last_in_data_collection,last,false,incremental',
  },
  'connect.default': 'false',
  'connect.name': 'io.debezium.data.Enum',
};

const SOURCE = {
  type: 'record',
  name: 'Source',
  namespace: 'io.debezium.connector.postgresql',
  fields: [
    { name: 'version', type: 'string' },
    { name: 'connector', type: 'string' },
    { name: 'name', type: 'string' },
    { name: 'ts_ms', type: 'long' },
    { name: 'snapshot', type: [SNAPSHOT, 'null'], default: 'false' },
    { name: 'db', type: 'string' },
    { name: 'sequence', type: ['null', 'string'], default: null },
    { name: 'ts_us', type: ['null', 'long'], default: null },
    { name: 'ts_ns', type: ['null', 'long'], default: null },
    { name: 'schema', type: 'string' },
    { name: 'table', type: 'string' },
    { name: 'txId', type: ['null', 'long'], default: null },
    { name: 'lsn', type: ['null', 'long'], default: null },
    { name: 'xmin', type: ['null', 'long'], default: null },
  ],
};

const TRANSACTION = {
  type: 'record',
  name: 'block',
  namespace: 'event',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'total_order', type: 'long' },
    { name: 'data_collection_order', type: 'long' },
  ],
};
