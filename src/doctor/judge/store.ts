/** The state store's server and schema. */
import { inBytes, inTime } from '../../domain/quantities.ts';
import { critical, graded, info, levelOf, ok, some, unknown, warning } from './finding.ts';
import type { Draft } from './finding.ts';
import type { StoreDisk } from './evidence-store.ts';
import type { Context } from './context.ts';
import { need, together } from './judge.ts';

const OLDEST_VERSION = 150_000;
const schemaName = ({ store }: Context): string => `schema ${store.schema}`;

export const storeVersion = need(
  ['storeServer'],
  'the state store',
  ({ storeServer: { version, readOnly } }) => {
    const subject = 'the state store';
    const measured = { version, readOnly };
    const told = `Postgres ${Math.floor(version / 10_000)}.${version % 10_000}`;
    if (version < OLDEST_VERSION) {
      return [
        critical({
          subject,
          evidence: `${told}, older than ${OLDEST_VERSION / 10_000}`,
          measured,
          consequence: 'Migrations and statements fail on it.',
          mend: 'Upgrade the state store’s Postgres.',
        }),
      ];
    }
    if (!readOnly) return [ok(subject, told, measured)];
    return [
      critical({
        subject,
        evidence: `${told}, and it is read-only`,
        measured,
        consequence: 'Nothing can be ingested or computed: it is a standby, or was made read-only.',
        mend: 'Point store.url to the primary, or promote this one.',
      }),
    ];
  },
);

export const storeMigrations = need(['storeSchema'], schemaName, ({ storeSchema: found }, context) => {
  const subject = schemaName(context);
  if (found.build === null) {
    return [
      critical({
        subject,
        evidence: 'it is not there',
        measured: { exists: false },
        consequence: 'No process starts (STO004).',
        mend: 'anchorline migrate',
      }),
    ];
  }
  const { missingMigrations: missing, build, timescale } = found;
  const measured = { missing: missing.length, build, timescale };
  if (missing.length > 0) {
    return [
      critical({
        subject,
        evidence: `${missing.length} migrations are missing: ${some(missing)}`,
        measured,
        consequence: 'A process of this release does not start (STO005).',
        mend: 'Stop the processes of the older release, run `anchorline migrate`, start the new ones.',
      }),
    ];
  }
  return [ok(subject, `current, ${timescale === null ? build : `TimescaleDB ${timescale}`}`, measured)];
});

export const storeSettings = need(['storeSchema'], schemaName, ({ storeSchema: found }, context) => {
  if (found.build === null) return [];
  const subject = schemaName(context);
  const measured = { engineVersion: found.engineVersion, wanted: found.wantedEngineVersion };
  if (found.engineVersion === null) return [ok(subject, 'nothing was computed yet', measured)];
  const differing = [...found.differences];
  if (found.engineVersion !== found.wantedEngineVersion) {
    differing.push(
      `the rules are of version ${found.engineVersion} there and ${found.wantedEngineVersion} here`,
    );
  }
  if (differing.length === 0) return [ok(subject, 'computed with these settings and rules', measured)];
  return [
    critical({
      subject,
      evidence: differing.join(', '),
      measured,
      consequence: 'A process with these settings does not start (CFG010, CFG011).',
      mend: 'Start with the stored settings, or replay into a new schema and promote it.',
    }),
  ];
});

export const storeConnections = need(['storeServer'], 'connections', ({ storeServer }, { limits, store }) => {
  const { maxConnections, reserved, used } = storeServer;
  const free = maxConnections - reserved - used;
  const level = free < 1 ? 'critical' : free < limits.freeConnections ? 'warning' : 'ok';
  return [
    graded(level, {
      subject: 'connections',
      evidence: `${free} of ${maxConnections - reserved} are free, a process opens up to ${store.poolSize}`,
      measured: { free, maxConnections, reserved, used, poolSize: store.poolSize },
      consequence:
        'Processes that start, or need another connection, wait (STO001): work goes slowly or stops.',
      mend: 'Lower store.poolSize, put a pooler in front, or raise max_connections.',
    }),
  ];
});

const openTransactions = need(['storeSessions'], 'transactions', ({ storeSessions }, { limits }) => {
  const old = storeSessions.transactions.filter(({ ageMs }) => ageMs >= limits.transactionMs);
  if (old.length === 0) {
    return [ok('transactions', `none has been open for ${inTime(limits.transactionMs)}`, { old: 0 })];
  }
  return old.map(({ pid, application, state, ageMs, quietMs }) =>
    graded(levelOf(ageMs, limits.transactionMs), {
      subject: `transaction of ${application === '' ? 'a program without name' : application}, pid ${pid}`,
      evidence: `open for ${inTime(ageMs)}, ${state} for ${inTime(quietMs)}`,
      measured: { pid, state, ageMs: Math.round(ageMs), quietMs: Math.round(quietMs) },
      consequence: 'Dead rows cannot be removed while it is open, and locks that it holds hold up others.',
      mend: `SELECT pg_terminate_backend(${pid});`,
    }),
  );
});

const hiddenSessions = need(['storeSessions'], 'transactions', ({ storeSessions: { hidden } }) =>
  hidden === 0
    ? []
    : [
        info({
          subject: 'transactions',
          evidence: `${hidden} sessions of other roles cannot be seen`,
          measured: { hidden },
          consequence: 'Long transactions of theirs are missed here.',
          mend: 'GRANT pg_read_all_stats TO the role in store.url.',
        }),
      ],
);

export const storeTransactions = together(openTransactions, hiddenSessions);

/** Dead rows matter where they are many against the living. */
const DEAD_SHARE = 0.2;

export const storeVacuum = need(['storeTables'], 'tables', ({ storeTables }, { limits, store }) => {
  const drafts = storeTables.flatMap(
    ({ table, live, dead, bytes, autovacuum, vacuumedMs }): readonly Draft[] => {
      const subject = `${store.schema}.${table}`;
      const measured = { live, dead, bytes, autovacuum, vacuumedMs };
      const since = vacuumedMs === null ? 'never vacuumed' : `vacuumed ${inTime(vacuumedMs)} ago`;
      if (!autovacuum) {
        return [
          warning({
            subject,
            evidence: `autovacuum is off, ${dead} dead rows, ${since}`,
            measured,
            consequence: 'Its dead rows are never removed: it grows, and every look for work gets slower.',
            mend: `ALTER TABLE ${subject} RESET (autovacuum_enabled); and autovacuum = on in the server.`,
          }),
        ];
      }
      if (dead <= live * DEAD_SHARE || dead < limits.deadTuples) return [];
      return [
        graded(levelOf(dead, limits.deadTuples), {
          subject,
          evidence: `${dead} dead rows beside ${live}, ${inBytes(bytes)}, ${since}`,
          measured,
          consequence: 'Looking for work reads past them: ingest and recompute get slower by the hour.',
          mend: `VACUUM (VERBOSE) ${subject}; and end what keeps it from working (see the check store-transactions).`,
        }),
      ];
    },
  );
  return drafts.length > 0 ? drafts : [ok('tables', `${storeTables.length} tables without many dead rows`)];
});

export const storeDisk = need(['storeDisk'], 'the state store’s disk', ({ storeDisk: disk }, context) => [
  diskOf(disk, context),
]);

function diskOf(disk: StoreDisk, { limits, store }: Context): Draft {
  const subject = 'the state store’s disk';
  const perHour = disk.elapsedMs > 0 ? (disk.grownBytes / disk.elapsedMs) * 3_600_000 : 0;
  const size = `the database has ${inBytes(disk.databaseBytes)}, growing by ${inBytes(perHour)}/h`;
  const room = roomOf(disk, store.diskBytes);
  const measured = {
    databaseBytes: disk.databaseBytes,
    bytesPerHour: Math.round(perHour),
    freeBytes: room?.free ?? null,
    totalBytes: room?.total ?? null,
  };
  if (room === null) {
    return unknown({
      subject,
      evidence: `${size}; how much is free Postgres does not tell, and its folder is not on this machine`,
      measured,
      consequence: 'A full disk stops everything (STO001) until there is room again.',
      mend: 'Set doctor.storeDiskGb to what the disk holds, or run the doctor on the database’s machine.',
    });
  }
  const percent = (100 * room.free) / room.total;
  const leftMs = perHour > 0 ? (room.free / perHour) * 3_600_000 : null;
  const tonight = leftMs !== null && leftMs <= limits.runwayMs;
  const level =
    percent < limits.freePercent / 3
      ? 'critical'
      : percent < limits.freePercent || tonight
        ? 'warning'
        : 'ok';
  return graded(level, {
    subject,
    evidence: `${percent.toFixed(0)} % free (${inBytes(room.free)} of ${inBytes(room.total)}, ${room.how}); ${size}`,
    measured,
    consequence:
      leftMs !== null && tonight
        ? `At this pace it is full in ${inTime(leftMs)}: then everything stops (STO001).`
        : 'Once it is full everything stops (STO001) until there is room again.',
    mend: 'Enlarge the disk; drop schemas of replays that nobody needs; set retention.years.',
  });
}

function roomOf(disk: StoreDisk, setBytes: number | null) {
  if (disk.local !== null) {
    const { freeBytes, totalBytes, folder } = disk.local;
    return { free: freeBytes, total: totalBytes, how: folder };
  }
  if (setBytes === null) return null;
  const used = disk.serverBytes ?? disk.databaseBytes;
  return {
    free: Math.max(0, setBytes - used),
    total: setBytes,
    how: 'doctor.storeDiskGb less what databases and WAL take',
  };
}
