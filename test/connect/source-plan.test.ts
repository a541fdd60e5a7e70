import { describe, expect, test } from 'vitest';
import { renderDifferences } from '../../src/connect/difference.ts';
import { planSource } from '../../src/connect/source-plan.ts';
import type { RightObject } from '../../src/domain/rights.ts';
import type { RoleState, SourceState, TableState } from '../../src/connect/source-state.ts';

const settings = { sqlDir: '', role: 'cdc', password: 'p', publication: 'pub', slot: 's' };
const role: RoleState = { superuser: false, password: 'works', missing: [], excess: [] };
const right = (on: RightObject, name: string, right: string) => ({
  on,
  name,
  right,
  otherwise: '',
  everybody: false,
});
const table = (name: string, rest: Partial<TableState> = {}): TableState => ({
  name,
  found: true,
  keyed: true,
  published: true,
  narrowed: false,
  ...rest,
});
const prepared: SourceState = {
  role,
  publication: { publishes: ['insert', 'update', 'delete'], viaRoot: true },
  tables: [table('public.a'), table('public.b')],
  own: [table('anchorline.heartbeat'), table('anchorline.signal')],
  hasAwaiting: true,
  awaiting: [],
};
const linesOf = (state: SourceState) => renderDifferences(planSource(state, settings).differences);

describe('a source that is', () => {
  test('prepared needs nothing', () => {
    expect(planSource(prepared, settings)).toMatchObject({
      differences: [],
      warnings: [],
      tables: { present: ['public.a', 'public.b'], toAdd: [], missing: [], unkeyed: [] },
      needSnapshot: [],
      canLogIn: true,
    });
  });

  test('untouched needs everything', () => {
    const bare = { found: false, published: false, keyed: false };
    const plan = planSource(
      {
        role: null,
        publication: null,
        tables: [table('public.a', { published: false }), table('public.b', bare)],
        own: [table('anchorline.heartbeat', bare), table('anchorline.signal', bare)],
        hasAwaiting: false,
        awaiting: [],
      },
      settings,
    );
    expect(renderDifferences(plan.differences)).toEqual([
      '+ role cdc: login, replication',
      '+ table anchorline.heartbeat',
      '+ table anchorline.signal',
      '+ table anchorline.awaiting_snapshot',
      '+ publication pub: insert, update, delete',
      '+ public.a in publication pub',
      '+ anchorline.heartbeat in publication pub',
      '+ anchorline.signal in publication pub',
    ]);
    expect(plan.tables).toEqual({ present: [], toAdd: ['public.a'], missing: ['public.b'], unkeyed: [] });
    // The first snapshot brings them.
    expect(plan.needSnapshot).toEqual([]);
    expect(plan.canLogIn).toBe(false);
  });

  test('captured already is told of a later table, and of its earlier rows', () => {
    const tables = [...prepared.tables, table('public.later', { published: false })];
    const missing = [right('table', 'public.later', 'SELECT')];
    const plan = planSource(
      { ...prepared, tables, role: { ...role, missing }, awaiting: ['public.b'] },
      settings,
    );
    expect(renderDifferences(plan.differences)).toEqual([
      '+ right of cdc: SELECT on table public.later',
      '+ public.later in publication pub',
      '+ snapshot of public.b: it was captured later',
    ]);
    expect(plan.needSnapshot).toEqual(['public.b', 'public.later']);
  });
});

describe('what has drifted is mended:', () => {
  test.each([
    [
      'a role that may not replicate',
      { role: { ...role, missing: [right('role', 'cdc', 'REPLICATION')] } },
      '+ role cdc: REPLICATION',
    ],
    [
      'a role that may do more',
      { role: { ...role, excess: [right('table', 'public.auth_user', 'SELECT')] } },
      '- right of cdc: SELECT on table public.auth_user',
    ],
    [
      'a role that may make others',
      { role: { ...role, excess: [right('role', 'cdc', 'CREATEROLE')] } },
      '- role cdc: CREATEROLE',
    ],
    [
      'another password',
      { role: { ...role, password: 'wrong password' as const } },
      '~ role cdc: password: *** → ***',
    ],
    [
      'a right on the schema',
      { role: { ...role, missing: [right('schema', 'public', 'USAGE')] } },
      '+ right of cdc: USAGE on schema public',
    ],
    [
      'a publication without deletes',
      { publication: { publishes: ['insert', 'truncate'], viaRoot: true } },
      '~ publication pub: publishes: insert, truncate → insert, truncate, update, delete',
    ],
    [
      'partitions under their own names',
      { publication: { publishes: ['insert', 'update', 'delete'], viaRoot: false } },
      '~ publication pub: publish_via_partition_root: false → true',
    ],
  ])('%s', (_what, part, line) => {
    expect(linesOf({ ...prepared, ...part })).toEqual([line]);
  });
});

describe('what people must decide is told:', () => {
  test.each([
    [
      'a table without a key',
      { tables: [table('public.a', { keyed: false, published: false })] },
      'no primary key',
    ],
    ['a row filter', { tables: [table('public.a', { narrowed: true })] }, 'DROP TABLE public.a'],
    [
      'a right that preparing does not take back',
      { role: { ...role, excess: [right('schema', 'public', 'CREATE')] } },
      'CREATE on schema public; take it back by hand',
    ],
    ['a superuser', { role: { ...role, superuser: true } }, 'role of its own'],
    ['a password that cannot be tried', { role: { ...role, password: 'unknown' as const } }, 'was not seen'],
  ])('%s', (_what, part, warning) => {
    const plan = planSource({ ...prepared, ...part }, settings);
    expect(plan.warnings).toEqual([expect.stringContaining(warning)]);
    expect(plan.differences).toEqual([]);
  });
});

test('what a role has through another one is told, for preparing takes nothing of it back', () => {
  const excess = [right('role', 'cdc', 'MEMBER OF staff'), right('table', 'public.auth_user', 'SELECT')];
  const plan = planSource({ ...prepared, role: { ...role, excess } }, settings);
  expect(plan.differences).toEqual([]);
  expect(plan.warnings).toHaveLength(2);
});

test.each([
  ['LOGIN', { missing: [right('role', 'cdc', 'LOGIN')] }],
  ['CONNECT', { missing: [right('database', 'farm', 'CONNECT')] }],
  ['its password', { password: 'wrong password' as const }],
])('without %s the login need not be tried', (_what, part) => {
  expect(planSource({ ...prepared, role: { ...role, ...part } }, settings).canLogIn).toBe(false);
});
