/** What the steps are told from, and how they are written. */
import type { FactKind, Id } from '../domain/facts.ts';
import { tableOfKind } from '../source/registry.ts';
import type { BatchContext } from '../engine/context.ts';
import type { StageModel } from '../engine/models.ts';
import type { Stay } from '../engine/stay.ts';
import type { DayTrace } from './recorder.ts';
import type { DayDetails, FactRef, RowColumns, Step } from './types.ts';

export interface Told {
  readonly trace: DayTrace;
  readonly context: BatchContext;
  readonly stay: Stay;
  readonly details: DayDetails;
  /** The row that was computed. */
  readonly row: RowColumns;
  readonly isFirst: boolean;
  /** It continues the stored row of the day before. */
  readonly continued: boolean;
}

export function step(rule: string, lines: readonly string[], facts: readonly FactRef[] = []): Step {
  return { rule, lines, facts };
}

export function ref(kind: FactKind, id: Id): FactRef {
  return { table: tableOfKind(kind), id };
}

/** None for what is not there. */
export function refs(kind: FactKind, facts: readonly ({ readonly id: Id } | null)[]): FactRef[] {
  return facts.flatMap((fact) => (fact === null ? [] : [ref(kind, fact.id)]));
}

/** In full, as JSON writes a number: it can be computed with again. */
export function grams(weight: number): string {
  return `${weight} g`;
}

/** Exact decimals of four places, kept as integers. */
export function fromE4(value: number): number {
  return value / 10_000;
}

export function stageText({ stageId, rows: { stage } }: StageModel): string {
  if (Number.isNaN(stageId)) return 'no stage';
  return stage === null ? `an unknown stage (${stageId})` : `stage ${stage.name} (${stageId})`;
}
