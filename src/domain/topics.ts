/**
 * The captured tables and the names of every topic. One list: the connector's filter, the publication,
 * the topics and the consumers all derive from it.
 */

/** `older`/`newer`: only that generation of the source's schema has the table; absent elsewhere is no error. */
export type SourceGeneration = 'both' | 'older' | 'newer';

export interface CapturedTable {
  readonly name: string;
  /** Primary key columns, in order; they are the key of the change topic's records. */
  readonly key: readonly string[];
  readonly generation: SourceGeneration;
  /** Rows grow with time (events, readings): spread over partitions. Others are master data of a few rows. */
  readonly volume: 'large' | 'small';
  /** A database that has none of the core tables is not a farm's. */
  readonly core: boolean;
}

const SMALL: Omit<CapturedTable, 'name'> = { key: ['id'], generation: 'both', volume: 'small', core: false };
const LARGE: Omit<CapturedTable, 'name'> = { ...SMALL, volume: 'large' };

export const CAPTURED_TABLES = [
  { ...SMALL, name: 'batch_batch', core: true },
  { ...SMALL, name: 'batch_batchcontainerassignment', core: true },
  { ...SMALL, name: 'batch_lifecyclestage', core: true },
  { ...SMALL, name: 'infrastructure_container', core: true },
  { ...LARGE, name: 'batch_growthsample' },
  { ...SMALL, name: 'batch_transferaction' },
  { ...SMALL, name: 'batch_creationaction' },
  { ...SMALL, name: 'harvest_harvestevent' },
  { ...SMALL, name: 'harvest_harvestlot' },
  { ...SMALL, name: 'health_treatment' },
  { ...SMALL, name: 'health_healthsamplingevent' },
  { ...LARGE, name: 'health_individualfishobservation' },
  { ...LARGE, name: 'batch_mortalityevent' },
  { ...LARGE, name: 'inventory_feedingevent' },
  { ...SMALL, name: 'environmental_environmentalparameter' },
  { ...LARGE, name: 'environmental_environmentalreading', key: ['id', 'reading_time'] },
  { ...SMALL, name: 'scenario', key: ['scenario_id'] },
  { ...SMALL, name: 'scenario_projection_run', key: ['run_id'], generation: 'newer' },
  { ...LARGE, name: 'scenario_scenarioprojection', key: ['projection_id'] },
  { ...SMALL, name: 'scenario_tgcmodel', key: ['model_id'] },
  { ...SMALL, name: 'scenario_tgc_model_stage' },
  { ...SMALL, name: 'scenario_temperatureprofile', key: ['profile_id'] },
  { ...SMALL, name: 'scenario_temperaturereading', key: ['reading_id'] },
  { ...SMALL, name: 'scenario_mortalitymodel', key: ['model_id'] },
  { ...SMALL, name: 'scenario_mortality_model_stage' },
  { ...SMALL, name: 'scenario_biological_constraints' },
  { ...SMALL, name: 'scenario_stage_constraint' },
  { ...SMALL, name: 'planning_activitytemplate', generation: 'newer' },
  { ...SMALL, name: 'planning_plannedactivity', generation: 'newer' },
] as const satisfies readonly CapturedTable[];

export type CapturedTableName = (typeof CAPTURED_TABLES)[number]['name'];

/** The schema of the captured tables in the source. */
export const SOURCE_SCHEMA = 'public';

const TABLE_NAMES: ReadonlySet<string> = new Set(CAPTURED_TABLES.map((table) => table.name));

/** The change topic of a captured table; `prefix` is the connector's topic.prefix. */
export function changeTopic(prefix: string, table: CapturedTableName): string {
  return `${prefix}.${SOURCE_SCHEMA}.${table}`;
}

export function changeTopics(prefix: string): readonly string[] {
  return CAPTURED_TABLES.map((table) => changeTopic(prefix, table.name));
}

/** What ingest consumes. `whole`: with the ends of transactions. */
export function ingestTopics(prefix: string, whole: boolean): readonly string[] {
  return whole ? [...changeTopics(prefix), transactionTopic(prefix)] : changeTopics(prefix);
}

/** How long the transaction topic keeps what it tells. */
export const TRANSACTIONS_KEPT_MS = 7 * 86_400_000;

/** The captured table whose change topic this is; null for any other topic. */
export function tableOfTopic(prefix: string, topic: string): CapturedTableName | null {
  const start = `${prefix}.${SOURCE_SCHEMA}.`;
  const table = topic.startsWith(start) ? topic.slice(start.length) : '';
  return TABLE_NAMES.has(table) ? (table as CapturedTableName) : null;
}

/** The connector's own topics: heartbeats, the begin and end of source transactions. */
export function heartbeatTopic(prefix: string): string {
  return `__debezium-heartbeat.${prefix}`;
}

export function transactionTopic(prefix: string): string {
  return `${prefix}.transaction`;
}

/** What the connector tells of its snapshots. */
export function notificationTopic(prefix: string): string {
  return `${prefix}.notifications`;
}

/** Topics that Anchorline writes; `ns` is the installation's name space. */
export function recomputeRequestsTopic(ns: string): string {
  return `${ns}.recompute-requests`;
}

export function dailyStateTopic(ns: string): string {
  return `${ns}.daily-state`;
}

export function plannerTriggersTopic(ns: string): string {
  return `${ns}.planner-triggers`;
}

export function deadLetterTopic(ns: string): string {
  return `${ns}.dead-letter`;
}
