/** Written by scripts/contract-types.mjs from schemas/*.avsc: change those. */
/** Names one day of one container assignment. The partition is chosen by assignment_id alone. */
export interface DailyStateKey {
  /** Id of the container assignment in the farm's system. */
  readonly assignment_id: number;
  /** Calendar date at the site, in days since 1970-01-01. */
  readonly date: number;
}

export const DAILY_STATE_KEY_SCHEMA = {
  type: 'record',
  name: 'DailyStateKey',
  namespace: 'anchorline.v1',
  doc: 'Names one day of one container assignment. The partition is chosen by assignment_id alone.',
  fields: [
    { name: 'assignment_id', type: 'long', doc: "Id of the container assignment in the farm's system." },
    {
      name: 'date',
      type: { type: 'int', logicalType: 'date' },
      doc: 'Calendar date at the site, in days since 1970-01-01.',
    },
  ],
} as const;

/** What was in one container assignment at the end of one day. A record without a value says that the day has no row any more. Numbers are doubles: each is the double nearest to a decimal of the places told, and its shortest text is that decimal, as in the table. */
export interface DailyState {
  /** The row's id: stable while the row exists, and not to be relied on beyond. */
  readonly id: number;
  /** Id of the container assignment in the farm's system. */
  readonly assignment_id: number;
  /** Id of the batch. */
  readonly batch_id: number;
  /** Id of the container. */
  readonly container_id: number;
  /** Id of the assignment's lifecycle stage; null where it has none. */
  readonly lifecycle_stage_id: number | null;
  /** Calendar date at the site, in days since 1970-01-01. */
  readonly date: number;
  /** Day of the batch's life, from 1 on its start date. */
  readonly day_number: number;
  /** Mean weight of a fish at the end of the day, g, 2 decimals. */
  readonly avg_weight_g: number;
  /** Fish at the end of the day. */
  readonly population: number;
  /** Population times the unrounded mean weight, kg, 2 decimals. */
  readonly biomass_kg: number;
  /** Water temperature of the day, degrees Celsius, 2 decimals; null where none is known. */
  readonly temp_c: number | null;
  /** Fish that died on the day, recorded or modelled (see sources). */
  readonly mortality_count: number;
  /** Feed given on the day, kg, 2 decimals. */
  readonly feed_kg: number;
  /** Feed conversion ratio since the last anchor, 3 decimals; null where there is too little to tell. */
  readonly observed_fcr: number | null;
  /** What the weight was measured by on this day: growth_sample, transfer, vaccination, manual or planned_activity; null on a day without. Others may be added: treat an unknown one as some measurement. */
  readonly anchor_type: string | null;
  /** Where each figure comes from: weight, temp, mortality, feed, fcr, growth, activity. A missing entry means that it does not apply; entries may be added. */
  readonly sources: Readonly<Record<string, string>>;
  /** 0 to 1 for weight, temp, mortality, feed, fcr; entries may be added. */
  readonly confidence_scores: Readonly<Record<string, number>>;
  /** When the row was last changed, ms since 1970-01-01T00:00:00Z. */
  readonly last_computed_at: number;
  /** Measured weight minus the weight that was expected, g; null on a day without an anchor. */
  readonly anchor_residual_g: number | null;
  /** Grows with every change of an assignment's rows. Of two records of one key the one with the higher revision holds; equal ones are repeats. */
  readonly revision: number;
}

export const DAILY_STATE_VALUE_SCHEMA = {
  type: 'record',
  name: 'DailyState',
  namespace: 'anchorline.v1',
  doc: 'What was in one container assignment at the end of one day. A record without a value says that the day has no row any more. Numbers are doubles: each is the double nearest to a decimal of the places told, and its shortest text is that decimal, as in the table.',
  fields: [
    {
      name: 'id',
      type: 'long',
      doc: "The row's id: stable while the row exists, and not to be relied on beyond.",
    },
    { name: 'assignment_id', type: 'long', doc: "Id of the container assignment in the farm's system." },
    { name: 'batch_id', type: 'long', doc: 'Id of the batch.' },
    { name: 'container_id', type: 'long', doc: 'Id of the container.' },
    {
      name: 'lifecycle_stage_id',
      type: ['null', 'long'],
      default: null,
      doc: "Id of the assignment's lifecycle stage; null where it has none.",
    },
    {
      name: 'date',
      type: { type: 'int', logicalType: 'date' },
      doc: 'Calendar date at the site, in days since 1970-01-01.',
    },
    { name: 'day_number', type: 'int', doc: "Day of the batch's life, from 1 on its start date." },
    {
      name: 'avg_weight_g',
      type: 'double',
      doc: 'Mean weight of a fish at the end of the day, g, 2 decimals.',
    },
    { name: 'population', type: 'long', doc: 'Fish at the end of the day.' },
    {
      name: 'biomass_kg',
      type: 'double',
      doc: 'Population times the unrounded mean weight, kg, 2 decimals.',
    },
    {
      name: 'temp_c',
      type: ['null', 'double'],
      default: null,
      doc: 'Water temperature of the day, degrees Celsius, 2 decimals; null where none is known.',
    },
    {
      name: 'mortality_count',
      type: 'long',
      doc: 'Fish that died on the day, recorded or modelled (see sources).',
    },
    { name: 'feed_kg', type: 'double', doc: 'Feed given on the day, kg, 2 decimals.' },
    {
      name: 'observed_fcr',
      type: ['null', 'double'],
      default: null,
      doc: 'Feed conversion ratio since the last anchor, 3 decimals; null where there is too little to tell.',
    },
    {
      name: 'anchor_type',
      type: ['null', 'string'],
      default: null,
      doc: 'What the weight was measured by on this day: growth_sample, transfer, vaccination, manual or planned_activity; null on a day without. Others may be added: treat an unknown one as some measurement.',
    },
    {
      name: 'sources',
      type: { type: 'map', values: 'string' },
      doc: 'Where each figure comes from: weight, temp, mortality, feed, fcr, growth, activity. A missing entry means that it does not apply; entries may be added.',
    },
    {
      name: 'confidence_scores',
      type: { type: 'map', values: 'double' },
      doc: '0 to 1 for weight, temp, mortality, feed, fcr; entries may be added.',
    },
    {
      name: 'last_computed_at',
      type: { type: 'long', logicalType: 'timestamp-millis' },
      doc: 'When the row was last changed, ms since 1970-01-01T00:00:00Z.',
    },
    {
      name: 'anchor_residual_g',
      type: ['null', 'double'],
      default: null,
      doc: 'Measured weight minus the weight that was expected, g; null on a day without an anchor.',
    },
    {
      name: 'revision',
      type: 'long',
      doc: "Grows with every change of an assignment's rows. Of two records of one key the one with the higher revision holds; equal ones are repeats.",
    },
  ],
} as const;
