/** The publication: which changes of which tables the source sends. */
import { critical, info, ok, some, warning } from './finding.ts';
import type { Draft } from './finding.ts';
import type { Publication, SourceTable } from './evidence-source.ts';
import type { Context } from './context.ts';
import { need } from './judge.ts';

const nameOf = ({ source }: Context): string => `publication ${source.publication}`;

const APPLY = 'Run `anchorline connectors apply`.';

export const publication = need(['sourcePublication'], nameOf, ({ sourcePublication: found }, context) => {
  const subject = nameOf(context);
  if (found === null) {
    return [
      critical({
        subject,
        evidence: 'the source has no publication of this name',
        measured: { exists: false },
        consequence: 'The connector cannot stream: nothing is captured.',
        mend: APPLY,
      }),
    ];
  }
  const lacking = (['insert', 'update', 'delete'] as const).filter((operation) => !found[operation]);
  const measured = {
    insert: found.insert,
    update: found.update,
    delete: found.delete,
    allTables: found.allTables,
  };
  const drafts: Draft[] = [];
  if (lacking.length > 0) {
    drafts.push(
      critical({
        subject,
        evidence: `${lacking.join(' and ')} are not published`,
        measured,
        consequence: `Every ${lacking.join(' and ')} of the farm is missed, silently.`,
        mend: `ALTER PUBLICATION ${context.source.publication} SET (publish = 'insert, update, delete'); then \`anchorline resnapshot --all\`.`,
      }),
    );
  }
  if (found.allTables) {
    drafts.push(
      info({
        subject,
        evidence: 'it publishes all tables of the database',
        measured,
        consequence:
          'Changes of tables that nobody captures are decoded and sent, and thrown away by the connector.',
        mend: `DROP PUBLICATION ${context.source.publication}; then \`anchorline connectors apply\`.`,
      }),
    );
  }
  return drafts.length > 0 ? drafts : [ok(subject, 'insert, update and delete are published', measured)];
});

export const publicationTables = need(
  ['sourcePublication', 'sourceTables', 'sourceHeartbeat'],
  nameOf,
  ({ sourcePublication: found, sourceTables: tables, sourceHeartbeat: own }, context) => {
    if (tables.length === 0) return [notAFarm(context)];
    if (found === null) return [];
    const published = new Set(found.tables.map(({ table }) => table));
    const { heartbeatTable, signalTable, captured } = context.source;
    const missing = tables.map(({ table }) => table).filter((table) => !published.has(table));
    const drafts = [
      ...unpublished(missing, context),
      ...(own.heartbeat && !published.has(heartbeatTable) ? [noHeartbeat(context)] : []),
      ...(own.signal && !published.has(signalTable) ? [noSignal(context)] : []),
      ...hypertables(tables),
      ...awaiting(own.awaiting, context),
    ];
    if (drafts.length > 0) return drafts;
    const absent = captured.length - tables.length;
    return [
      ok(
        nameOf(context),
        `all ${tables.length} captured tables that the source has, heartbeat and signal` +
          (absent > 0 ? `; the source lacks ${absent}` : ''),
        { published: tables.length, absent },
      ),
    ];
  },
);

function notAFarm({ source }: Context): Draft {
  return critical({
    subject: `database ${source.database}`,
    evidence: 'it has none of the captured tables',
    measured: { tables: 0 },
    consequence: 'Nothing can be captured: this is not the farm’s database.',
    mend: 'Name the farm’s database in `source.adminUrl`.',
  });
}

function unpublished(missing: readonly string[], context: Context): readonly Draft[] {
  if (missing.length === 0) return [];
  return [
    critical({
      subject: nameOf(context),
      evidence: `${missing.length} captured tables are not in it: ${some(missing)}`,
      measured: { missing: missing.length },
      consequence: 'Their changes are missed, silently.',
      mend: 'Run `anchorline connectors apply`: it adds them and takes a snapshot of their rows.',
    }),
  ];
}

function noHeartbeat(context: Context): Draft {
  return critical({
    subject: nameOf(context),
    evidence: `${context.source.heartbeatTable} is not in it`,
    measured: { heartbeat: false },
    consequence:
      'Heartbeats do not come back: while the captured tables are quiet the slot stands still and WAL grows.',
    mend: `ALTER PUBLICATION ${context.source.publication} ADD TABLE ${context.source.heartbeatTable};`,
  });
}

function noSignal(context: Context): Draft {
  return warning({
    subject: nameOf(context),
    evidence: `${context.source.signalTable} is not in it`,
    measured: { signal: false },
    consequence: 'A snapshot that is asked for never begins, and nobody says so.',
    mend: `ALTER PUBLICATION ${context.source.publication} ADD TABLE ${context.source.signalTable};`,
  });
}

/** Remembered in the source by who published them, until their snapshot is asked for. */
function awaiting(tables: readonly string[], context: Context): readonly Draft[] {
  if (tables.length === 0) return [];
  return [
    warning({
      subject: nameOf(context),
      evidence: `the earlier rows of ${tables.length} tables that were added to it were not asked for: ${some(tables)}`,
      measured: { awaiting: tables.length },
      consequence: 'What they held before they were captured is in no daily state.',
      mend: APPLY,
    }),
  ];
}

function hypertables(tables: readonly SourceTable[]): readonly Draft[] {
  return tables
    .filter(({ children }) => children > 0)
    .map(({ table, children }) =>
      critical({
        subject: table,
        evidence: `its rows are in ${children} tables that inherit from it (a hypertable’s chunks)`,
        measured: { children },
        consequence: 'They are not published under its name: its changes are missed, silently.',
        mend: 'Publish the chunks and let the connector route them to the table’s topic, or make it a plain or partitioned table.',
      }),
    );
}

export const publicationFilters = need(
  ['sourcePublication'],
  nameOf,
  ({ sourcePublication: found }, context) => {
    if (found === null) return [];
    const drafts = [...rowFilters(found), ...columnLists(found, context)];
    return drafts.length > 0 ? drafts : [ok(nameOf(context), 'no row filter, no used column left out')];
  },
);

function rowFilters(found: Publication): readonly Draft[] {
  return found.tables.flatMap(({ table, rowFilter }) =>
    rowFilter === null
      ? []
      : [
          critical({
            subject: table,
            evidence: `only rows with ${rowFilter} are published`,
            measured: { rowFilter },
            consequence: 'The other rows are missed, and a row that leaves the filter looks deleted.',
            mend: `Publish the table without WHERE (ALTER PUBLICATION … SET TABLE), then \`anchorline resnapshot --table ${bare(table)}\`.`,
          }),
        ],
  );
}

function columnLists(found: Publication, { source }: Context): readonly Draft[] {
  const usedOf = new Map(source.captured.map(({ table, columns }) => [table, columns]));
  return found.tables.flatMap(({ table, leftOut }) => {
    const used = new Set((usedOf.get(table) ?? []).map(({ name }) => name));
    const lacking = leftOut.filter((column) => used.has(column));
    if (lacking.length === 0) return [];
    return [
      critical({
        subject: table,
        evidence: `${some(lacking)} are left out by a column list`,
        measured: { columns: lacking.join(',') },
        consequence: 'Rules read them as absent: rows are refused (REC005) or computed without them.',
        mend: `Publish the table without a column list (ALTER PUBLICATION … SET TABLE), then \`anchorline resnapshot --table ${bare(table)}\`.`,
      }),
    ];
  });
}

/** As `resnapshot` names it. */
function bare(table: string): string {
  return table.slice(table.indexOf('.') + 1);
}
