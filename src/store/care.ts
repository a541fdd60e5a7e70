/** What operators look at and mend in the store by commands; see the modules for what each does. */
import type { Id } from '../domain/facts.ts';
import type { DeadLetter } from '../domain/ports.ts';
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
import { selectFacts } from './facts.ts';
import type { Session } from './session.ts';

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
}

export function care(read: <T>(work: (session: Session) => Promise<T>) => Promise<T>): StoreCare {
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
  };
}
