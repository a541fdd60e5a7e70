/** The state store on Postgres: the port's methods over the statement modules. */
import type { ClientBase, Pool } from 'pg';

import type { BackfillStore } from '../domain/backfill.ts';
import type { BulkStore } from '../domain/bulk.ts';
import type { Day } from '../domain/day.ts';
import { ConfigurationError } from '../domain/errors.ts';
import type { Id, ManualAnchorFact } from '../domain/facts.ts';
import type { IngestTx, PublishedRow, RecomputeTx, StateStore } from '../domain/ports.ts';
import type { ResnapshotStore } from '../domain/resnapshot.ts';
import type { RowCodec } from '../domain/row-codec.ts';
import type { EngineSettings } from '../domain/settings.ts';
import { replaceAnomalies } from './anomalies.ts';
import { backfillStore } from './backfills.ts';
import { bulkStore } from './bulk.ts';
import { care } from './care.ts';
import type { StoreCare } from './care.ts';
import { claimDeadLetter, keepDeadLetters, supersedeDeadLetters, pruneLetters } from './dead-letters.ts';
import { appendDirt, park, parkedAssignments, takeDirt, unpark, waitingDirt } from './dirt.ts';
import type { ParkedAssignment } from './dirt.ts';
import { fromDriver } from './errors.ts';
import { readFacts, selectFacts, writeFacts } from './facts.ts';
import { readGauges } from './gauges.ts';
import type { StoreGauges } from './gauges.ts';
import { moveHorizon, readHorizon } from './horizon.ts';
import { acquireLease, releaseLease } from './leases.ts';
import { load } from './load.ts';
import { lockAssignments, lockFacts } from './locks.ts';
import { missingMigrations, readBuild } from './migrate.ts';
import { noteEnds } from './position-ends.ts';
import type { Doubt, LogEnd } from './position-ends.ts';
import { advance, positions } from './positions.ts';
import {
  appendPublication,
  readPublications,
  setPublicationAside,
  settlePublications,
} from './publications.ts';
import { readRows } from './published-rows.ts';
import { readReadings, temperatureParameters, writeReadings } from './readings.ts';
import { assignmentsWithRows, raiseSequence, republish, retiredAmong } from './reconcile.ts';
import type { Judged } from './reconcile.ts';
import { resnapshotStore } from './resnapshots.ts';
import { resolve } from './resolve.ts';
import { checkRetention, retire } from './retention.ts';
import { checkRights } from './rights.ts';
import { nextRevision, writeRows } from './rows.ts';
import { checkedNames } from './session.ts';
import type { Build, Names, Session } from './session.ts';
import { checkSettings, requireSettings, settingsHash } from './settings.ts';
import { noteSnapshot, snapshotRunning } from './snapshots.ts';
import { readStatus } from './status.ts';
import type { StoreStatus } from './status.ts';
import {
  ONE_SNAPSHOT,
  READ_COMMITTED,
  WRITING_SNAPSHOT,
  beginAnew,
  inSession,
  inTransaction,
} from './transaction.ts';
import { giveUpTransactions, noteTransactions, settleTransactions } from './upstream.ts';
import { assignmentWeeks, batchWeeks } from './weeks.ts';
import type { Week } from './weeks.ts';

export interface PgStoreOptions {
  readonly pool: Pool;
  readonly schema: string;
  /** Holds the revision sequence that live and replayed schemas share. */
  readonly sharedSchema?: string;
  readonly codec: RowCodec;
  readonly settings: EngineSettings;
  /** False where COPY does not reach the server; rows then go in by INSERT. */
  readonly copy?: boolean;
  /** A transaction in which nothing happens for longer is ended by the server, ms; default two minutes. */
  readonly idleLimitMs?: number;
  /** A statement of a transaction that takes longer is ended by the server, ms; default: its own limit. */
  readonly statementMs?: number;
  /** How long an assignment is held back for an upstream transaction that is not whole; 0: not at all. */
  readonly transactionWaitMs?: number;
}

/** What operators and the composition need beyond the port. */
export interface PgStore extends StateStore, StoreCare {
  readonly build: Build;
  /** See settings.ts: throws ConfigurationError where the store was computed with other settings. */
  checkSettings(): Promise<void>;
  /** Throws ConfigurationError STO006 naming each right that the role needs to run and lacks. */
  checkRights(): Promise<void>;
  status(): Promise<StoreStatus>;
  /** See gauges.ts. `snapshotLimitMs`: how old the last record of a running snapshot may be. */
  gauges(snapshotLimitMs: number): Promise<StoreGauges>;
  parked(): Promise<readonly ParkedAssignment[]>;
  /** Frees parked assignments, all for null; returns those freed, whose owners are then to be woken. */
  unpark(assignmentIds: readonly Id[] | null): Promise<readonly Id[]>;
  /** Operators' own weighings, of one assignment or of all. */
  manualAnchors(assignmentId: Id | null): Promise<readonly ManualAnchorFact[]>;
  rows(assignmentId: Id, from: Day, to: Day): Promise<readonly PublishedRow[]>;
  assignmentWeeks(assignmentId: Id): Promise<readonly Week[]>;
  batchWeeks(batchId: Id): Promise<readonly Week[]>;
  /** The next revision is above this one. */
  hasGiven(revision: number): Promise<boolean>;
  raiseSequences(revision: number, id: number): Promise<void>;
  assignmentsWithRows(): Promise<readonly Id[]>;
  retiredAmong(assignmentIds: readonly Id[]): Promise<ReadonlySet<Id>>;
  /** See src/reconcile/step.ts. */
  republish(
    assignmentIds: readonly Id[],
    judge: (assignmentId: Id, rows: readonly PublishedRow[]) => Judged,
    dryRun: boolean,
  ): Promise<void>;
  readonly resnapshots: ResnapshotStore;
  readonly bulk: BulkStore;
  readonly backfills: BackfillStore;
  /** See position-ends.ts. */
  noteEnds(ends: readonly LogEnd[]): Promise<readonly Doubt[]>;
  /** See retention.ts. `cutoff`: assignments that ended before this day. */
  retire(cutoff: Day, limit: number): Promise<readonly Id[]>;
  /** See dead-letters.ts; returns how many went. */
  pruneLetters(olderThanDays: number, limit: number): Promise<number>;
}

export const SHARED_SCHEMA = 'anchorline_shared';

/** Opens a migrated schema; throws ConfigurationError STO004 where there is none, STO005 where it is an older form. */
export async function createPgStore(options: PgStoreOptions): Promise<PgStore> {
  const { pool, codec, settings, copy = true, idleLimitMs = IDLE_LIMIT_MS } = options;
  const { transactionWaitMs = DEFAULT_TRANSACTION_WAIT_MS } = options;
  const names = checkedNames({ schema: options.schema, shared: options.sharedSchema ?? SHARED_SCHEMA });
  const ask = <T>(question: (client: ClientBase) => Promise<T>): Promise<T> =>
    inSession(pool, names, (session) => question(session.client)).catch((error: unknown) => {
      throw fromDriver(error);
    });
  const build = await ask((client) => readBuild(client, names));
  if (build === null) {
    throw new ConfigurationError(
      'STO004',
      `schema ${names.schema} is not in the state store yet: run \`anchorline migrate\``,
    );
  }
  const behind = await ask((client) => missingMigrations(client, names, build));
  if (behind.length > 0) {
    throw new ConfigurationError(
      'STO005',
      `schema ${names.schema} lacks ${behind.join(', ')}: run \`anchorline migrate\` first`,
    );
  }
  const local = [`SET LOCAL idle_in_transaction_session_timeout = ${idleLimitMs}`];
  if (options.statementMs !== undefined) local.push(`SET LOCAL statement_timeout = ${options.statementMs}`);
  if (build === 'timescale') local.push(UNLIMITED_DECOMPRESSION);
  const hash = settingsHash(settings);
  const begin = [READ_COMMITTED, ...local].join('; ');
  const beginSnapshot = [WRITING_SNAPSHOT, ...local].join('; ');
  const write = <T>(work: (session: Session) => Promise<T>) => inTransaction(pool, names, begin, work);
  const read = <T>(work: (session: Session) => Promise<T>) => inSession(pool, names, work);
  const snapshot = <T>(work: (session: Session) => Promise<T>) =>
    inTransaction(pool, names, ONE_SNAPSHOT, work);
  return {
    build,
    ingest: (work) => write((session) => work(ingestTx(session))),
    ...recomputing(pool, names, begin, { codec, copy, settings, hash, transactionWaitMs, beginSnapshot }),
    ...coordination(write, read),
    readPublications: (shard, shards, limit) =>
      snapshot((session) => readPublications(session, shard, shards, limit)),
    settlePublications: (sequences) => read((session) => settlePublications(session, sequences)),
    checkSettings: () => write((session) => checkSettings(session, settings)),
    checkRights: () => read(checkRights),
    status: () => snapshot(readStatus),
    gauges: (limitMs) => read((session) => readGauges(session, limitMs)),
    ...care(read, snapshot, { codec, settings }),
    manualAnchors: (id) =>
      read((session) =>
        selectFacts(session, 'manual_anchor', '$1::bigint IS NULL OR f.assignment_id = $1', [id]),
      ),
    rows: (id, from, to) => read((session) => readRows(session, id, from, to)),
    assignmentWeeks: (id) => read((session) => assignmentWeeks(session, id)),
    batchWeeks: (id) => read((session) => batchWeeks(session, id)),
    ...reconciling(write, read),
    resnapshots: resnapshotStore(write, read),
    backfills: backfillStore(write, read),
    bulk: bulkStore(write, read, {
      codec,
      copy,
      loading: { recordedDeaths: settings.recordedDeathsInCount },
    }),
    noteEnds: (ends) => write((session) => noteEnds(session, ends)),
    pruneLetters: (days, limit) => write((session) => pruneLetters(session, days, limit)),
    async retire(cutoff, limit) {
      checkRetention(cutoff, await read(readHorizon));
      return write((session) => retire(session, cutoff, limit));
    },
  };
}

/**
 * A process that was stopped, or whose machine vanished, holds its locks for as long as the server takes it for
 * alive, by TCP alone two hours; everyone's ingest would wait for them. Longer than any send in a transaction.
 */
const IDLE_LIMIT_MS = 120_000;
export const DEFAULT_TRANSACTION_WAIT_MS = 60_000;

/** A correction of old days may reopen more than the extension's guard allows; the transaction knows its bounds. */
const UNLIMITED_DECOMPRESSION = 'SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0';

type Run = <T>(work: (session: Session) => Promise<T>) => Promise<T>;

function coordination(write: Run, read: Run) {
  return {
    positions: (partitions) => write((session) => positions(session, partitions)),
    waitingDirt: (olderThanMs, limit) => read((session) => waitingDirt(session, olderThanMs, limit)),
    settleTransactions: (which) => read((session) => settleTransactions(session, which)),
    giveUpTransactions: (olderThanMs) => read((session) => giveUpTransactions(session, olderThanMs)),
    park: (parked) => write((session) => park(session, parked)),
    parked: () => read(parkedAssignments),
    unpark: (ids) => write((session) => unpark(session, ids, 'taken here')),
    setPublicationAside: (aside) => write((session) => setPublicationAside(session, aside)),
    snapshotRunning: (limitMs) => read((session) => snapshotRunning(session, limitMs)),
    acquireLease: (name, owner, ttlMs) => read((session) => acquireLease(session, name, owner, ttlMs)),
    releaseLease: (name, owner) => read((session) => releaseLease(session, name, owner)),
    horizon: () => read(readHorizon),
    moveHorizon: (to, recentDays, nowMs) => write((session) => moveHorizon(session, to, recentDays, nowMs)),
  } satisfies Partial<PgStore>;
}

function reconciling(write: Run, read: Run) {
  return {
    hasGiven: async (revision) => {
      const [next] = await read(async (session) => {
        const row = await session.first<[number]>(`SELECT nextval('${session.names.shared}.revision')`);
        return row as [number];
      });
      return next > revision;
    },
    raiseSequences: (revision, id) =>
      read(async (session) => {
        await raiseSequence(session, 'revision', revision);
        await raiseSequence(session, 'daily_state_id', id);
      }),
    assignmentsWithRows: () => read(assignmentsWithRows),
    retiredAmong: (ids) => read((session) => retiredAmong(session, ids)),
    republish: (ids, judge, dryRun) => write((session) => republish(session, ids, judge, dryRun)),
  } satisfies Partial<PgStore>;
}

function ingestTx(session: Session): IngestTx {
  let hasParts = false;
  return {
    lockFacts: (mode) => lockFacts(session, mode),
    advance: (advances) => advance(session, advances),
    readFacts: (kind, ids) => readFacts(session, kind, ids),
    writeFacts: (kind, upserts, deletes) => writeFacts(session, kind, upserts, deletes),
    readReadings: (keys) => readReadings(session, keys),
    writeReadings: (upserts, deletes, deltas) => writeReadings(session, upserts, deletes, deltas),
    temperatureParameters: (ids) => temperatureParameters(session, ids),
    resolve: (scopes) => resolve(session, scopes),
    noteTransactions: (notes) => {
      hasParts ||= notes.parts.length > 0;
      return noteTransactions(session, notes);
    },
    appendDirt: (dirt) => appendDirt(session, dirt, hasParts),
    keepDeadLetters: (letters) => keepDeadLetters(session, letters),
    supersedeDeadLetters: (topic, keys) => supersedeDeadLetters(session, topic, keys),
    claimDeadLetter: (at) => claimDeadLetter(session, at),
    noteSnapshot: (state) => noteSnapshot(session, state),
  };
}

/** Its locks are the session's, for they are older than the snapshot that everything is read in. */
function recomputing(
  pool: Pool,
  names: Names,
  begin: string,
  options: RecomputeOptions,
): Pick<StateStore, 'recompute'> {
  return {
    recompute: (work) =>
      inTransaction(pool, names, begin, (session) => work(recomputeTx(session, options)), 'of the session'),
  };
}

interface RecomputeOptions {
  readonly codec: RowCodec;
  readonly copy: boolean;
  readonly settings: EngineSettings;
  readonly transactionWaitMs: number;
  readonly beginSnapshot: string;
  /** Of the settings. */
  readonly hash: string;
}

function recomputeTx(session: Session, options: RecomputeOptions): RecomputeTx {
  const loading = { recordedDeaths: options.settings.recordedDeathsInCount };
  return {
    // The snapshot must be later than the locks: whoever held them has committed, and all of that is to be seen.
    lock: async (ids) => {
      await lockAssignments(session, ids, 'the session unlocks');
      await beginAnew(session, options.beginSnapshot);
    },
    takeDirt: (ids) => takeDirt(session, ids, options.transactionWaitMs),
    load: async (windows) => {
      await requireSettings(session, options.hash);
      return load(session, windows, options.codec, loading);
    },
    nextRevision: () => nextRevision(session),
    writeRows: (changes, deletes, revision) => writeRows(session, changes, deletes, revision, options),
    replaceAnomalies: (windows, anomalies) => replaceAnomalies(session, windows, anomalies),
    appendDirt: (dirt) => appendDirt(session, dirt),
    appendPublication: (entries) => appendPublication(session, entries),
    unpark: async (ids) => {
      await unpark(session, ids, 'held');
    },
  };
}
