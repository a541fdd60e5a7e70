/** From what a source has to what preparing it would do: the same that connectors/sql does, told beforehand. */
import { type HeldRight, type Right, describeRight } from '../domain/rights.ts';
import { type Difference, changed, created, removed } from './difference.ts';
import {
  AWAITING_TABLE,
  type RoleState,
  type SourceSettings,
  type SourceState,
  type TableState,
} from './source-state.ts';

export interface SourcePlan {
  readonly differences: readonly Difference[];
  /** What preparing does not mend: a decision for people. */
  readonly warnings: readonly string[];
  /** Captured tables by what is to become of them. */
  readonly tables: {
    readonly present: readonly string[];
    readonly toAdd: readonly string[];
    /** The source lacks them. */
    readonly missing: readonly string[];
    /** Without a primary key they cannot be published. */
    readonly unkeyed: readonly string[];
  };
  /** Captured tables whose earlier rows are still to be asked for, those that are added now included. */
  readonly needSnapshot: readonly string[];
  /** Whether the connector's role gets in as things stand. */
  readonly canLogIn: boolean;
  /** False: the source does not let the role in from here, so its password may be another. */
  readonly passwordSeen: boolean;
}

const WANTED_OPERATIONS = ['insert', 'update', 'delete'];

export function planSource(state: SourceState, settings: SourceSettings): SourcePlan {
  const { present, toAdd, missing, unkeyed } = sortTables(state.tables);
  const own = state.own.filter(({ found, published }) => !found || !published);
  const publication = `publication ${settings.publication}`;
  const added = [...toAdd, ...own.map(({ name }) => name)];
  return {
    differences: [
      ...planRole(state.role, settings.role),
      ...state.own.filter(({ found }) => !found).map(({ name }) => created(`table ${name}`)),
      ...(state.hasAwaiting ? [] : [created(`table ${AWAITING_TABLE}`)]),
      ...planPublication(state, publication),
      ...added.map((name) => created(`${name} in ${publication}`)),
      ...state.awaiting.map((name) => created(`snapshot of ${name}`, 'it was captured later')),
    ],
    warnings: warningsOf(state, settings, unkeyed),
    tables: { present, toAdd, missing, unkeyed },
    needSnapshot: state.publication === null ? state.awaiting : [...state.awaiting, ...toAdd],
    canLogIn: canLogIn(state.role),
    passwordSeen: state.role?.password !== 'unknown',
  };
}

function sortTables(tables: readonly TableState[]): SourcePlan['tables'] {
  const names = (fits: (table: TableState) => boolean) => tables.filter(fits).map(({ name }) => name);
  return {
    present: names(({ published }) => published),
    toAdd: names(({ found, keyed, published }) => found && keyed && !published),
    missing: names(({ found }) => !found),
    unkeyed: names(({ found, keyed, published }) => found && !keyed && !published),
  };
}

function planRole(role: RoleState | null, name: string): readonly Difference[] {
  if (role === null) return [created(`role ${name}`, 'login, replication')];
  const what = (right: Right) =>
    right.on === 'role' ? `role ${name}: ${right.right}` : `right of ${name}: ${describeRight(right)}`;
  return [
    ...role.missing.map((right) => created(what(right))),
    ...role.excess.filter((right) => isTakenBack(right, role)).map((right) => removed(what(right))),
    ...(role.password === 'wrong password' ? [changed(`role ${name}: password`, '***', '***')] : []),
  ];
}

const ATTRIBUTES_TAKEN: ReadonlySet<string> = new Set(['CREATEDB', 'CREATEROLE', 'BYPASSRLS']);

/** Whether preparing takes it back (04-no-more.sql): not what the role may have through another one. */
function isTakenBack({ on, right }: HeldRight, { excess }: RoleState): boolean {
  if (on === 'role') return ATTRIBUTES_TAKEN.has(right);
  return (
    on === 'table' && !excess.some((other) => other.on === 'role' && other.right.startsWith('MEMBER OF '))
  );
}

function planPublication({ publication }: SourceState, what: string): readonly Difference[] {
  if (publication === null) return [created(what, WANTED_OPERATIONS.join(', '))];
  const { publishes, viaRoot } = publication;
  const lacking = WANTED_OPERATIONS.filter((operation) => !publishes.includes(operation));
  return [
    ...(lacking.length === 0
      ? []
      : [changed(`${what}: publishes`, publishes.join(', '), [...publishes, ...lacking].join(', '))]),
    ...(viaRoot ? [] : [changed(`${what}: publish_via_partition_root`, 'false', 'true')]),
  ];
}

function warningsOf(
  state: SourceState,
  settings: SourceSettings,
  unkeyed: readonly string[],
): readonly string[] {
  const narrowed = [...state.tables, ...state.own].filter((table) => table.narrowed);
  return [
    ...unkeyed.map(
      (name) => `${name} has no primary key and cannot be captured: give it one, then apply again`,
    ),
    ...narrowed.map(
      ({ name }) =>
        `${name} is published with a row filter or a column list, so changes are missing: ` +
        `ALTER PUBLICATION ${settings.publication} DROP TABLE ${name}, then apply again`,
    ),
    ...(state.role?.excess ?? [])
      .filter((right) => state.role !== null && !isTakenBack(right, state.role))
      .map(
        (right) =>
          `role ${settings.role} has more than it needs: ${describeRight(right)}; take it back by hand`,
      ),
    ...(state.role?.superuser === true
      ? [`role ${settings.role} is a superuser: give the connector a role of its own (source.role)`]
      : []),
    ...(state.role?.password === 'unknown'
      ? [`the source does not let ${settings.role} in from here: whether its password is right was not seen`]
      : []),
  ];
}

/** What a login needs before anything else. */
const LOGIN_NEEDS: ReadonlySet<string> = new Set(['role LOGIN', 'database CONNECT']);

/** Before its role is as it must be, the connector's login fails, which says nothing of its definition. */
function canLogIn(role: RoleState | null): boolean {
  if (role === null || role.password === 'wrong password') return false;
  return !role.missing.some(({ on, right }) => LOGIN_NEEDS.has(`${on} ${right}`));
}
