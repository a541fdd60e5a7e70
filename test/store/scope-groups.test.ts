import { describe, expect, it } from 'vitest';

import { groupScopes, joined } from '../../src/store/scope-groups.ts';

const at = (from: number, to: number, id = 1) => ({ id, containerId: null, reason: 'reading', from, to });

describe('joined', () => {
  it('makes one window of those that overlap or touch, and keeps others apart', () => {
    expect(joined([at(20, 25), at(1, 5), at(6, 9), at(3, 4), at(30, 31), at(22, 30)])).toEqual([
      at(1, 9),
      at(20, 31),
    ]);
  });

  it('does not join places', () => {
    expect(joined([at(1, 5), at(2, 6, 2)])).toEqual([at(1, 5), at(2, 6, 2)]);
  });
});

describe('groupScopes', () => {
  it('asks for each scope once per reason', () => {
    const scope = { scope: 'assignment_structure', assignmentId: 1 } as const;
    const { assignmentStructures } = groupScopes([
      { scope, reason: 'transfer' },
      { scope: { ...scope }, reason: 'transfer' },
      { scope, reason: 'assignment' },
    ]);
    expect(assignmentStructures).toEqual([
      { id: 1, reason: 'transfer' },
      { id: 1, reason: 'assignment' },
    ]);
  });
});
