/** The windows of R24, as scopes. */
import { MAX_DAY, MIN_DAY } from '../domain/day.ts';
import type { Day } from '../domain/day.ts';
import type { DirtScope } from '../domain/dirt.ts';
import type { Id } from '../domain/facts.ts';

/** Days on each side of a dated fact (R24.1, R24.2). */
const DATED_MARGIN = 2;

export const NOTHING: readonly DirtScope[] = [];

/** R24.1: around the day, of the one assignment. */
export function aroundDay(assignmentId: Id, day: Day): DirtScope {
  return { scope: 'assignment', assignmentId, from: day - DATED_MARGIN, to: day + DATED_MARGIN };
}

/** R24.2: around the day, of the batch's assignments; with a container, of those in it. */
export function aroundBatchDay(batchId: Id, containerId: Id | null, day: Day): DirtScope {
  const window = { from: day - DATED_MARGIN, to: day + DATED_MARGIN };
  if (containerId === null) return { scope: 'batch', batchId, ...window };
  return { scope: 'batch', batchId, containerId, ...window };
}

export function wholeBatch(batchId: Id): DirtScope {
  return { scope: 'batch', batchId, from: MIN_DAY, to: MAX_DAY };
}

/** R24.4: the structure around each assignment that is named. */
export function structureOf(...assignmentIds: readonly (Id | null)[]): readonly DirtScope[] {
  const scopes: DirtScope[] = [];
  for (const assignmentId of assignmentIds) {
    if (assignmentId !== null) scopes.push({ scope: 'assignment_structure', assignmentId });
  }
  return scopes;
}
