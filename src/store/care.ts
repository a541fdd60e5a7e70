/** What operators look at and mend in the store by commands; see the modules for what each does. */
import type { Day } from '../domain/day.ts';
import type { Id } from '../domain/facts.ts';
import type { DeadLetter } from '../domain/ports.ts';
import type { RowCodec } from '../domain/row-codec.ts';
import type { EngineSettings } from '../domain/settings.ts';
import { countAnomalies, readAnomalies } from './anomalies.ts';
import type { AnomalyCount, AnomalyFilter, KeptAnomaly } from './anomalies.ts';
import {
  countLetters,
  dropLetters,
  listLetters,
  noteRefusedAgain,
  openLetters,
  readLetter,
} from './dead-letter-care.ts';
import type {
  LetterCount,
  LetterFilter,
  LetterPlace,
  ListedLetter,
  WholeLetter,
} from './dead-letter-care.ts';
import { readDayFacts } from './explain.ts';
import type { DayFacts } from './explain.ts';
import { selectFacts } from './facts.ts';
import type { Session } from './session.ts';
import { assignmentsByBatch, readValidationFacts } from './validation.ts';
import type { ValidationFacts, ValidationScope } from './validation.ts';

export interface StoreCare {
  listLetters(filter: LetterFilter, limit: number): Promise<readonly ListedLetter[]>;
  countLetters(filter: LetterFilter): Promise<LetterCount>;
  /** null: no record of that place was ever set aside. */
  readLetter(at: LetterPlace): Promise<WholeLetter | null>;
  openLetters(filter: LetterFilter, after: LetterPlace | null, limit: number): Promise<readonly DeadLetter[]>;
  noteRefusedAgain(letters: readonly DeadLetter[]): Promise<void>;
  dropLetters(filter: LetterFilter, by: string, reason: string): Promise<number>;
  anomalies(filter: AnomalyFilter, limit: number): Promise<readonly KeptAnomaly[]>;
  countAnomalies(filter: AnomalyFilter): Promise<readonly AnomalyCount[]>;
  /** Ids of a batch's assignments, ascending. */
  assignmentsOf(batchId: Id): Promise<readonly Id[]>;
  /** All that made a row, in one state of the store. `whole`: from the first day. */
  dayFacts(assignmentId: Id, day: Day, whole: boolean): Promise<DayFacts>;
  assignmentsByBatch(scope: ValidationScope): Promise<ReadonlyMap<Id | null, readonly Id[]>>;
  /** Whole lives, in one state of the store. `lenient` must not throw for what a row holds. */
  validationFacts(assignmentIds: readonly Id[], lenient: RowCodec): Promise<ValidationFacts>;
}

type Run = <T>(work: (session: Session) => Promise<T>) => Promise<T>;

export interface CareOptions {
  readonly codec: RowCodec;
  readonly settings: EngineSettings;
}

/** `snapshot` runs its statements in one read-only transaction that sees one state. */
export function care(read: Run, snapshot: Run, { codec, settings }: CareOptions): StoreCare {
  const loading = { recordedDeaths: settings.recordedDeathsInCount };
  return {
    listLetters: (filter, limit) => read((session) => listLetters(session, filter, limit)),
    countLetters: (filter) => read((session) => countLetters(session, filter)),
    readLetter: (at) => read((session) => readLetter(session, at)),
    openLetters: (filter, after, limit) => read((session) => openLetters(session, filter, after, limit)),
    noteRefusedAgain: (letters) => read((session) => noteRefusedAgain(session, letters)),
    dropLetters: (filter, by, reason) => read((session) => dropLetters(session, filter, by, reason)),
    anomalies: (filter, limit) => read((session) => readAnomalies(session, filter, limit)),
    countAnomalies: (filter) => read((session) => countAnomalies(session, filter)),
    assignmentsOf: (batchId) =>
      read(async (session) => {
        const assignments = await selectFacts(session, 'assignment', 'f.batch_id = $1', [batchId]);
        return assignments.map(({ id }) => id);
      }),
    dayFacts: (assignmentId, day, whole) =>
      snapshot((session) => readDayFacts(session, { assignmentId, day, whole }, codec, loading)),
    assignmentsByBatch: (scope) => read((session) => assignmentsByBatch(session, scope)),
    validationFacts: (ids, lenient) =>
      snapshot((session) => readValidationFacts(session, ids, lenient, loading)),
  };
}
