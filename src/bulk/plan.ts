/** Which batches are computed together, and in which order: pure. */
import type { BulkBatch, BulkSurvey } from '../domain/bulk.ts';
import type { Id } from '../domain/facts.ts';

/** What one transaction computes: whole components, so that no row is read which another transaction writes. */
export interface BulkChunk {
  readonly components: readonly BulkComponent[];
  readonly assignments: number;
  readonly days: number;
}

/** Batches that unmeasured fish join. */
export interface BulkComponent {
  /** Ascending. */
  readonly batchIds: readonly Id[];
  readonly assignments: number;
  readonly days: number;
}

/** Rows that loading an assignment's facts is worth, even where it has hardly a day. */
const ASSIGNMENT_ROWS = 20;

/**
 * What is left to do, as chunks of at most `chunkRows` rows or of one component: it cannot be divided. The biggest come
 * first, so that the workers end at about the same time.
 */
export function planChunks(survey: BulkSurvey, chunkRows: number): BulkChunk[] {
  // Of equals the one with the lowest batch: they come in that order, and the sort is stable.
  const components = componentsOf(survey).toSorted((a, b) => costOf(b) - costOf(a));
  const chunks: BulkChunk[] = [];
  let taken: BulkComponent[] = [];
  let cost = 0;
  for (const component of components) {
    if (taken.length > 0 && cost + costOf(component) > chunkRows) {
      chunks.push(chunkOf(taken));
      [taken, cost] = [[], 0];
    }
    taken.push(component);
    cost += costOf(component);
  }
  return taken.length === 0 ? chunks : [...chunks, chunkOf(taken)];
}

/** Without what is done; batches that are done join nothing, for their rows stand. */
function componentsOf({ batches, joins }: BulkSurvey): BulkComponent[] {
  const open = batches.filter(({ done }) => !done);
  const groups = new Map<Id, BulkBatch[]>(open.map((batch) => [batch.batchId, [batch]]));
  for (const [a, b] of joins) {
    const [one, other] = [groups.get(a), groups.get(b)];
    if (one === undefined || other === undefined || one === other) continue;
    const [large, small] = one.length >= other.length ? [one, other] : [other, one];
    for (const batch of small) {
      large.push(batch);
      groups.set(batch.batchId, large);
    }
  }
  return [...new Set(groups.values())].map((members) => ({
    batchIds: members.map(({ batchId }) => batchId).toSorted((x, y) => x - y),
    ...sizeOf(members),
  }));
}

function chunkOf(components: readonly BulkComponent[]): BulkChunk {
  return { components, ...sizeOf(components) };
}

function sizeOf(parts: readonly Pick<BulkBatch, 'assignments' | 'days'>[]) {
  return {
    assignments: parts.reduce((sum, part) => sum + part.assignments, 0),
    days: parts.reduce((sum, part) => sum + part.days, 0),
  };
}

function costOf({ assignments, days }: Pick<BulkBatch, 'assignments' | 'days'>): number {
  return days + assignments * ASSIGNMENT_ROWS;
}
