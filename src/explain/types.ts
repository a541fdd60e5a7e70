/** What `explain` is given and what it tells. */
import type { Day } from '../domain/day.ts';
import type { DayWindow } from '../domain/dirt.ts';
import type { DailyTemperature } from '../domain/engine-input.ts';
import type { Id } from '../domain/facts.ts';
import type { RecomputeFacts } from '../domain/ports.ts';
import type { AnchorType, Anomaly } from '../domain/rows.ts';
import type { EngineSettings } from '../domain/settings.ts';

export interface ExplainInput {
  readonly assignmentId: Id;
  readonly day: Day;
  /** As a recompute of the day, or of the whole life, loads them. */
  readonly facts: RecomputeFacts;
  readonly details: DayDetails;
  readonly settings: EngineSettings;
  /** Compute from the stay's first day even where the row of the day before is stored. */
  readonly fromFirstDay: boolean;
}

/** Facts of the day one by one, where the engine is given their sums only. */
export interface DayDetails {
  readonly containerName: string | null;
  /** Of mortality events that name the assignment. */
  readonly deaths: readonly { readonly id: Id; readonly count: number }[];
  readonly feedings: readonly { readonly id: Id; readonly amountE4: number }[];
  /** Of the temperatures near the day, by parameter. */
  readonly readings: readonly (DailyTemperature & { readonly parameterId: Id })[];
  /** Fish weighed at the sampling events of the day's treatments. */
  readonly weighed: readonly { readonly id: Id; readonly samplingEventId: Id; readonly weightE4: number }[];
}

/** A row of the source; `table` null: it was entered into the state store. */
export interface FactRef {
  readonly table: string | null;
  readonly id: Id;
}

/** What one rule did that day. Numbers in `lines` are the very ones computed with, in full. */
export interface Step {
  readonly rule: string;
  readonly lines: readonly string[];
  readonly facts: readonly FactRef[];
}

/** A row's columns by their names in `daily_state`; what the store adds to it (id, revision, time) is apart. */
export interface RowColumns {
  readonly assignment_id: Id;
  readonly batch_id: Id | null;
  readonly container_id: Id | null;
  readonly lifecycle_stage_id: Id | null;
  readonly date: string;
  readonly day_number: number | null;
  readonly avg_weight_g: number | null;
  readonly population: number | null;
  readonly biomass_kg: number | null;
  readonly temp_c: number | null;
  readonly mortality_count: number | null;
  readonly feed_kg: number | null;
  readonly observed_fcr: number | null;
  readonly anchor_type: AnchorType | null;
  readonly sources: Readonly<Record<string, string>>;
  readonly confidence_scores: Readonly<Record<string, number>>;
  readonly carry_weight_g: number | null;
  readonly mortality_remainder: number | null;
  readonly anchor_residual_g: number | null;
}

export interface Explanation {
  readonly assignmentId: Id;
  readonly batchId: Id;
  readonly day: Day;
  readonly interval: DayWindow;
  /** What the day was computed from: the stored row of the eve, or everything since the first day. */
  readonly continues: 'stored_row' | 'first_day';
  readonly steps: readonly Step[];
  readonly row: RowColumns;
  readonly stored: RowColumns | null;
  /** Columns in which the two differ; none where nothing is stored. */
  readonly differing: readonly string[];
  /** Of the day, and of the whole stay. */
  readonly anomalies: readonly Anomaly[];
}
