/** What the farm's tables hold that the way to a fact does not bear. */
import { critical, info, ok, unknown, warning } from './finding.ts';
import type { Draft } from './finding.ts';
import type { SourceTable } from './evidence-source.ts';
import type { CapturedSpec } from './context.ts';
import { need } from './judge.ts';

const TABLES = 'captured tables';

export const keys = need(['sourceTables'], TABLES, ({ sourceTables: tables }, { source }) => {
  const keyOf = new Map(source.captured.map(({ table, key }) => [table, key]));
  const drafts = tables.flatMap((table) => identityOf(table, keyOf.get(table.table) ?? []));
  return drafts.length > 0
    ? drafts
    : [ok(TABLES, `${tables.length} tables, each with its key`, { tables: tables.length })];
});

function identityOf(found: SourceTable, key: readonly string[]): readonly Draft[] {
  const { table, replicaIdentity, primaryKey } = found;
  const measured = { replicaIdentity, primaryKey: primaryKey.join(',') };
  const none = replicaIdentity === 'n' || (replicaIdentity === 'd' && primaryKey.length === 0);
  if (none) {
    return [
      critical({
        subject: table,
        evidence: replicaIdentity === 'n' ? 'REPLICA IDENTITY is NOTHING' : 'it has no primary key',
        measured,
        consequence:
          'It is left out of the publication and its changes are missed; if it is in, the farm’s own updates of it fail.',
        mend:
          primaryKey.length === 0
            ? `ALTER TABLE ${table} ADD PRIMARY KEY (${key.join(', ')});`
            : `ALTER TABLE ${table} REPLICA IDENTITY DEFAULT;`,
      }),
    ];
  }
  const identity = replicaIdentity === 'i' ? found.identityColumns : primaryKey;
  if (identity.join(',') !== key.join(',')) {
    return [
      critical({
        subject: table,
        evidence: `its rows are known by (${identity.join(', ')}) instead of (${key.join(', ')})`,
        measured: { ...measured, identity: identity.join(',') },
        consequence: 'Records come under other keys than facts have: deletes are refused (REC003, REC005).',
        mend: `ALTER TABLE ${table} REPLICA IDENTITY DEFAULT; with the primary key (${key.join(', ')}).`,
      }),
    ];
  }
  if (replicaIdentity !== 'f') return [];
  return [
    info({
      subject: table,
      evidence: 'REPLICA IDENTITY is FULL',
      measured,
      consequence: 'Every update writes the whole row before it to the WAL as well; nobody here reads that.',
      mend: `ALTER TABLE ${table} REPLICA IDENTITY DEFAULT; unless another reader needs it.`,
    }),
  ];
}

/** Places of a decimal that facts keep. */
const PLACES = 4;
const FLOATS = ['real', 'double precision'];

export const numericScale = need(['sourceTables'], 'decimal columns', ({ sourceTables }, { source }) => {
  const drafts = eachUsed(sourceTables, source.captured, 'decimal').flatMap(({ table, column }) => {
    const name = `${table}.${column.name}`;
    const float = FLOATS.includes(column.type);
    if (!float && (column.type !== 'numeric' || (column.scale !== null && column.scale <= PLACES))) return [];
    const type =
      column.scale === null ? `${column.type} without scale` : `numeric with scale ${column.scale}`;
    return [
      warning({
        subject: name,
        evidence: float ? `it is ${column.type}` : `it is ${type}`,
        measured: { type: column.type, scale: column.scale },
        consequence: `A value with more than ${PLACES} decimals, or NaN, is refused (REC006): its row becomes a dead letter.`,
        mend: `ALTER TABLE ${table} ALTER COLUMN ${column.name} TYPE numeric(14, ${PLACES});`,
      }),
    ];
  });
  return drafts.length > 0 ? drafts : [ok('decimal columns', `each has a scale of at most ${PLACES}`)];
});

function eachUsed(tables: readonly SourceTable[], captured: readonly CapturedSpec[], kind: 'decimal') {
  const usedOf = new Map(
    captured.map(({ table, columns }) => [
      table,
      new Set(columns.filter((column) => column.kind === kind).map(({ name }) => name)),
    ]),
  );
  return tables.flatMap(({ table, columns }) =>
    columns.filter(({ name }) => usedOf.get(table)?.has(name) === true).map((column) => ({ table, column })),
  );
}

export const infiniteDates = need(['sourceDates'], 'dates', ({ sourceDates: tables }) => {
  const drafts = tables.flatMap((found): readonly Draft[] => {
    const columns = found.columns.join(', ');
    const search = found.columns.map((column) => `${column} IN ('infinity', '-infinity')`).join(' OR ');
    if (found.rows === null) {
      return [
        unknown({
          subject: found.table,
          evidence: `it was not read to its end in time (${columns})`,
          consequence: 'Rows with an infinite date may be in it; each would be a dead letter (REC007).',
          mend: `Raise doctor.scanMs, or when it suits: SELECT * FROM ${found.table} WHERE ${search} LIMIT 10;`,
        }),
      ];
    }
    if (found.rows === 0) return [];
    return [
      warning({
        subject: found.table,
        evidence: `${found.capped ? 'at least ' : ''}${found.rows} rows with an infinite date (${columns})`,
        measured: { rows: found.rows, capped: found.capped },
        consequence:
          'Each is refused (REC007): the row is a dead letter, and what hangs on it is computed without it.',
        mend: `Correct them: SELECT * FROM ${found.table} WHERE ${search};`,
      }),
    ];
  });
  if (drafts.some(({ severity }) => severity !== 'unknown')) return drafts;
  const read = tables.filter(({ rows }) => rows !== null);
  return [...drafts, ok('dates', `no infinite date in ${read.length} tables`, { tables: read.length })];
});
