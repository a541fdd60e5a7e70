/** Operators' own weighings: entered into the state store itself, so they have no source table. */
import { aroundDay } from './reach.ts';
import type { FactDirt } from './source-table.ts';

export const manualAnchorDirt: FactDirt<'manual_anchor'> = {
  kind: 'manual_anchor',
  unread: ['author', 'note'],
  reach: (anchor) => [aroundDay(anchor.assignmentId, anchor.day)],
};
