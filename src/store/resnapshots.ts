/** The port of resnapshots over its statements. */
import type { ResnapshotStore } from '../domain/resnapshot.ts';
import {
  beginRun,
  createRun,
  endRun,
  latestRun,
  moveTable,
  noteNews,
  noteRequested,
  releaseTables,
  runPartitions,
  setTargets,
} from './resnapshot-runs.ts';
import { countGone, disturbed, finish, markSent, nextGone, noteShown, pick } from './resnapshot-sweep.ts';
import type { Session } from './session.ts';

type Run = <T>(work: (session: Session) => Promise<T>) => Promise<T>;

export function resnapshotStore(write: Run, read: Run): ResnapshotStore {
  return {
    latest: () => read(latestRun),
    create: (run) => write((session) => createRun(session, run)),
    begin: (id, starts, moves) => write((session) => beginRun(session, id, starts, moves)),
    noteRequested: (id) => read((session) => noteRequested(session, id)),
    partitions: (id) => write((session) => runPartitions(session, id)),
    noteShown: (batch) => write((session) => noteShown(session, batch)),
    noteNews: (id, at, news) => write((session) => noteNews(session, id, at, news)),
    setTargets: (id, ends) => read((session) => setTargets(session, id, ends)),
    pick: (id, of) => write((session) => pick(session, id, of)),
    countGone: (of) => read((session) => countGone(session, of)),
    move: (id, table, from, to) => read((session) => moveTable(session, id, table, from, to)),
    nextGone: (of, limit) => read((session) => nextGone(session, of, limit)),
    markSent: (id, table, keys) => write((session) => markSent(session, id, table, keys)),
    disturbed: (table, limit) => read((session) => disturbed(session, table, limit)),
    finish: (id, table, topic) => write((session) => finish(session, id, table, topic)),
    release: (id, tables, force) => write((session) => releaseTables(session, id, tables, force)),
    end: (id, outcome, why) => write((session) => endRun(session, id, outcome, why)),
  };
}
