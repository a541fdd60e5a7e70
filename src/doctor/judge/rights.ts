/** What a role lacks, and what it has too much of: the lists of needed rights against what it holds. */
import { compareRights, runtimeRights, sourceRights } from '../../domain/rights.ts';
import type { HeldRight, NeededRight, Right } from '../../domain/rights.ts';
import { critical, ok, some, warning } from './finding.ts';
import type { Draft } from './finding.ts';
import type { HeldRights } from './evidence-source.ts';
import type { SourceTable } from './evidence-source.ts';
import type { Context } from './context.ts';
import { need } from './judge.ts';

const roleName = ({ source }: Context): string => `role ${source.role}`;

/** Amazon's way of granting what is an attribute elsewhere. */
const REPLICATION_GROUP = 'MEMBER OF rds_replication';

interface Compared {
  readonly role: string;
  readonly missing: readonly NeededRight[];
  readonly excess: readonly HeldRight[];
  readonly superuser: boolean;
}

function compareSource(found: HeldRights, tables: readonly SourceTable[], { source }: Context): Compared {
  const needed = sourceRights({
    role: source.role,
    database: source.database,
    tables: tables.map(({ table }) => table),
  });
  const { missing, excess } = compareRights(needed, found.held);
  const byGroup = excess.some(({ right }) => right === REPLICATION_GROUP);
  return {
    role: source.role,
    missing: byGroup ? missing.filter(({ right }) => right !== 'REPLICATION') : missing,
    excess: excess.filter(({ right }) => right !== REPLICATION_GROUP),
    superuser: found.held.some(({ on, right }) => on === 'role' && right === 'SUPERUSER'),
  };
}

export const role = need(
  ['sourceRole', 'sourceTables'],
  roleName,
  ({ sourceRole: found, sourceTables }, context) => {
    const subject = roleName(context);
    if (found === null) {
      return [
        critical({
          subject,
          evidence: 'the source has no such role',
          measured: { exists: false },
          consequence: 'The connector cannot log in: nothing is captured.',
          mend: 'Run `anchorline connectors apply`.',
        }),
      ];
    }
    const { missing, superuser } = compareSource(found, sourceTables, context);
    const drafts = missing
      .filter(({ on, right }) => on === 'role' && (right === 'LOGIN' || !superuser))
      .map(lacking);
    if (found.expired) {
      const mend = `ALTER ROLE ${context.source.role} VALID UNTIL 'infinity';`;
      drafts.push(failing(subject, 'its password is no longer valid', mend));
    }
    return drafts.length > 0
      ? drafts
      : [ok(subject, 'may log in and replicate', { login: true, replication: true })];
  },
);

function lacking({ name, right, otherwise }: NeededRight): Draft {
  return failing(`role ${name}`, `it lacks ${right}: ${otherwise}`, `ALTER ROLE ${name} ${right};`);
}

function failing(subject: string, evidence: string, mend: string): Draft {
  return critical({
    subject,
    evidence,
    consequence: 'The connector fails the next time it connects, at the latest at its next restart.',
    mend,
  });
}

export const roleRights = need(
  ['sourceRole', 'sourceTables'],
  roleName,
  ({ sourceRole: found, sourceTables }, context) => {
    if (found === null) return [];
    const subject = roleName(context);
    const { missing, superuser } = compareSource(found, sourceTables, context);
    if (superuser) return [ok(subject, 'a superuser lacks nothing')];
    const objects = missing.filter(({ on }) => on !== 'role');
    if (objects.length > 0)
      return missingOf(context.source.role, objects, 'Or run `anchorline connectors apply`.');
    return [
      ok(subject, `has all that it needs on ${sourceTables.length} tables`, { tables: sourceTables.length }),
    ];
  },
);

/** One finding for what goes wrong in the same way. `grants`: what grants it all at once. */
function missingOf(roleName: string, missing: readonly NeededRight[], grants: string): readonly Draft[] {
  return [...Map.groupBy(missing, ({ on, otherwise }) => `${on} ${otherwise}`).values()].map((same) => {
    const [first] = same as [NeededRight];
    return critical({
      subject: `role ${roleName}`,
      evidence: `it lacks ${some(described(same))}`,
      measured: { missing: same.length },
      consequence: `${first.otherwise.charAt(0).toUpperCase()}${first.otherwise.slice(1)}.`,
      mend: `${statements(same, (rights, object) => `GRANT ${rights} ON ${object} TO ${roleName};`)} ${grants}`,
    });
  });
}

export const roleExcess = need(
  ['sourceRole', 'sourceTables'],
  roleName,
  ({ sourceRole: found, sourceTables }, context) => {
    if (found === null) return [];
    const subject = roleName(context);
    const { excess, superuser } = compareSource(found, sourceTables, context);
    const { role: name } = context.source;
    if (superuser) {
      return [
        warning({
          subject,
          evidence: 'it is a superuser',
          measured: { superuser },
          consequence: 'Whoever gets hold of the connector’s password owns the farm’s database.',
          mend: `ALTER ROLE ${name} NOSUPERUSER; then \`anchorline connectors apply\` grants what it needs.`,
        }),
      ];
    }
    return excess.length > 0 ? excessOf(name, excess) : [ok(subject, 'has nothing beyond its work')];
  },
);

const STOLEN =
  'Nothing breaks by it; but a stolen password, or a mistake in what uses it, reaches further than it need.';

/** Attributes of the role by themselves, rights on objects together. */
function excessOf(roleName: string, excess: readonly HeldRight[]): readonly Draft[] {
  const about = (evidence: string, rights: number, mend: string): Draft =>
    warning({ subject: `role ${roleName}`, evidence, measured: { rights }, consequence: STOLEN, mend });
  const attributes = excess.filter(({ on }) => on === 'role');
  const objects = excess.filter(({ on }) => on !== 'role');
  const drafts = attributes.map(({ right }) => {
    const group = /^MEMBER OF (.*)$/.exec(right)?.[1];
    return group === undefined
      ? about(`it has ${right}`, 1, `ALTER ROLE ${roleName} NO${right};`)
      : about(`it is a member of ${group}`, 1, `REVOKE ${group} FROM ${roleName};`);
  });
  if (objects.length === 0) return drafts;
  const revoke = statements(objects, (rights, object) => `REVOKE ${rights} ON ${object} FROM ${roleName};`);
  return [
    ...drafts,
    about(`it has ${some(described(objects))}, which it does not need`, objects.length, revoke),
  ];
}

/** `SELECT, INSERT on table x`, one for each object. */
function described(rights: readonly Right[]): readonly string[] {
  return byObject(rights).map(([object, held]) => `${held.join(', ')} on ${object}`);
}

const STATEMENTS_SHOWN = 5;

function statements(rights: readonly Right[], statement: (rights: string, object: string) => string): string {
  const all = byObject(rights).map(([object, held]) =>
    // A right on some columns is granted and taken by the same word as on all.
    statement([...new Set(held.map((right) => right.replace(/ of some columns$/, '')))].join(', '), object),
  );
  const shown = all.slice(0, STATEMENTS_SHOWN).join(' ');
  return all.length > STATEMENTS_SHOWN
    ? `${shown} … and so on for ${all.length - STATEMENTS_SHOWN} more.`
    : shown;
}

function byObject(rights: readonly Right[]): readonly (readonly [string, readonly string[]])[] {
  const found = Map.groupBy(rights, ({ on, name }) => `${on} ${name}`);
  return [...found].map(([object, same]) => [object, same.map(({ right }) => right)]);
}

export const storeRole = need(['storeRole'], 'the state store’s role', ({ storeRole: found }, { store }) => {
  const { role: name, database, held } = found;
  const subject = `role ${name}`;
  if (held.some(({ on, right }) => on === 'role' && right === 'SUPERUSER')) {
    return [
      warning({
        subject,
        evidence: 'processes log in to the state store as a superuser',
        measured: { superuser: true },
        consequence:
          'Whoever gets hold of store.url owns that server, and no right guards against a mistake.',
        mend: 'Give store.url to a role of docs/security.md, which `anchorline migrate` grants what it needs.',
      }),
    ];
  }
  const needed = (schema: string) => runtimeRights({ role: name, database, schema, shared: store.shared });
  const { missing } = compareRights(needed(store.schema), held);
  const { excess } = compareRights([store.schema, ...found.schemas].flatMap(needed), held);
  const drafts = [
    ...missingOf(name, missing, 'Or run `anchorline migrate` as the owner, with store.runtimeRole set.'),
    ...excessOf(name, excess),
  ];
  return drafts.length > 0 ? drafts : [ok(subject, 'has all that processes need, and nothing besides')];
});
