/**
 * Dirt: which days of which assignments a change may have altered (R24).
 * A source module declares it as scopes, from the fact's two images alone; the store resolves
 * scopes to assignments inside the transaction that writes the facts.
 */
import type { Day } from './day.ts';
import type { Id } from './facts.ts';

/** An inclusive window of days. */
export interface DayWindow {
  readonly from: Day;
  readonly to: Day;
}

export type DirtScope =
  /** One assignment, known or not. */
  | ({ readonly scope: 'assignment'; readonly assignmentId: Id } & DayWindow)
  /**
   * Every assignment of a batch; with containerId those in that container, and the batch's lowest
   * assignment, which answers for events that nobody was there to share.
   */
  | ({ readonly scope: 'batch'; readonly batchId: Id; readonly containerId?: Id } & DayWindow)
  /** The assignments in a container whose stay touches the window. */
  | ({ readonly scope: 'container'; readonly containerId: Id } & DayWindow)
  /**
   * R24.4: whole lives of the batch's assignments and of batches that received unmeasured transfers from
   * them. Unmeasured: no weight above 0, whatever the status; that is never too little.
   */
  | { readonly scope: 'batch_structure'; readonly batchId: Id }
  /**
   * As `batch_structure`, for the batch that the assignment belongs to, if known. Known or not: batches that
   * received unmeasured transfers from the assignment itself (it may just have been deleted).
   */
  | { readonly scope: 'assignment_structure'; readonly assignmentId: Id }
  /** As `batch_structure`, for the assignment of the harvest event; for its batch where it names none. */
  | { readonly scope: 'harvest_event'; readonly eventId: Id }
  /** The windows of the treatments that weighed at this sampling event. */
  | { readonly scope: 'sampling_event'; readonly eventId: Id }
  /** The execution days of the workflow's transfers, at their sources. */
  | { readonly scope: 'workflow'; readonly workflowId: Id }
  /** Whole lives in every container that has readings of the parameter. */
  | { readonly scope: 'parameter'; readonly parameterId: Id }
  /**
   * Whole lives of the assignments that resolve, or could resolve, to the row: a scenario is its batch's or a
   * pinning batch's (by itself or by a run of it), a run its pinning batches', a model its scenarios', a
   * profile its TGC models'.
   */
  | { readonly scope: 'scenario'; readonly id: Id }
  | { readonly scope: 'projection_run'; readonly id: Id }
  | { readonly scope: 'tgc_model'; readonly id: Id }
  | { readonly scope: 'mortality_model'; readonly id: Id }
  | { readonly scope: 'constraint_set'; readonly id: Id }
  | { readonly scope: 'profile'; readonly id: Id }
  /** Whole lives of the assignments in this stage or in any stage of the species (null equals null). */
  | { readonly scope: 'stage'; readonly id: Id; readonly speciesId: Id | null };

/** Dirt as appended to the store: one entry per assignment and transaction, the hull of its windows. */
export interface Dirt extends DayWindow {
  readonly assignmentId: Id;
  /** Kinds of fact (or `horizon`, `source`, `operator`, `backfill`) that caused it, sorted, without repeats. */
  readonly reasons: readonly string[];
  /** When the change was committed at the source, ms; null where no source event caused it. */
  readonly committedMs: number | null;
  /** When the change had been decoded, ms. */
  readonly decodedMs: number;
}
