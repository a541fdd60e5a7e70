/** The ingest transaction over Maps. */
import type { ReadingDayDelta, ReadingKey } from '../../src/domain/cdc.ts';
import type { Dirt } from '../../src/domain/dirt.ts';
import { StalePositionError } from '../../src/domain/errors.ts';
import type { Fact, FactKind, FactTypes, Id, ReadingFact } from '../../src/domain/facts.ts';
import type {
  DeadLetter,
  IngestTx,
  PartitionId,
  PositionAdvance,
  ResolvedDirt,
  ScopedReason,
} from '../../src/domain/ports.ts';
import { recordKeyBody } from '../../src/domain/record-key.ts';
import type { TransactionNotes } from '../../src/domain/transactions.ts';
import { keyOfReading, letterKey, partitionKey, sumKey } from './memory-database.ts';
import { appendDirt } from './memory-session.ts';
import type { Transaction } from './memory-session.ts';
import { resolveScopes } from './resolve-memory.ts';

export class MemoryIngestTx implements IngestTx {
  readonly #tx: Transaction;
  /** Its number, once it has noted parts. */
  #batch: bigint | null = null;

  constructor(tx: Transaction) {
    this.#tx = tx;
  }

  lockFacts(mode: 'shared' | 'exclusive'): Promise<void> {
    return this.#tx.call('ingest.lockFacts', () => this.#tx.lock('facts', mode));
  }

  advance(advances: readonly PositionAdvance[]): Promise<void> {
    return this.#tx.call('ingest.advance', async () => {
      for (const move of advances) {
        const key = partitionKey(move);
        await this.#tx.lock(`position/${key}`);
        const at = this.#tx.view.positions.get(key) ?? 0n;
        if (at !== move.expected) throw new StalePositionError(move.topic, move.partition, move.expected);
        this.#tx.view.positions.set(key, move.next);
      }
    });
  }

  readFacts<K extends FactKind>(kind: K, ids: readonly Id[]): Promise<Map<Id, FactTypes[K]>> {
    return this.#tx.call('ingest.readFacts', () => {
      const found = new Map<Id, FactTypes[K]>();
      for (const id of ids) {
        const fact = this.#tx.view.ofKind(kind).get(id);
        if (fact !== undefined) found.set(id, { ...fact } as FactTypes[K]);
      }
      return found;
    });
  }

  writeFacts<K extends FactKind>(
    kind: K,
    upserts: readonly FactTypes[K][],
    deletes: readonly Id[],
  ): Promise<void> {
    return this.#tx.call('ingest.writeFacts', async () => {
      const table = this.#tx.view.ofKind(kind);
      if (upserts.some(hasNul)) throw new Error('invalid byte sequence for encoding "UTF8": 0x00');
      for (const id of [...upserts.map((fact) => fact.id), ...deletes]) {
        await this.#tx.lock(`fact/${kind}/${id}`);
      }
      for (const fact of upserts as readonly Fact[]) table.set(fact.id, Object.freeze({ ...fact }));
      for (const id of deletes) table.delete(id);
    });
  }

  readReadings(keys: readonly ReadingKey[]): Promise<readonly ReadingFact[]> {
    return this.#tx.call('ingest.readReadings', () =>
      keys.flatMap((key) => {
        const reading = this.#tx.view.readings.get(keyOfReading(key));
        return reading === undefined ? [] : [{ ...reading }];
      }),
    );
  }

  writeReadings(
    upserts: readonly ReadingFact[],
    deletes: readonly ReadingKey[],
    deltas: readonly ReadingDayDelta[],
  ): Promise<void> {
    return this.#tx.call('ingest.writeReadings', async () => {
      const { view } = this.#tx;
      for (const key of [...upserts, ...deletes].map(keyOfReading)) await this.#tx.lock(`reading/${key}`);
      for (const reading of upserts) view.readings.set(keyOfReading(reading), Object.freeze({ ...reading }));
      for (const key of deletes) view.readings.delete(keyOfReading(key));
      const inOrder = deltas
        .map((delta) => ({ key: sumKey(delta), delta }))
        .sort((a, b) => (a.key < b.key ? -1 : 1));
      for (const { key, delta } of inOrder) {
        await this.#tx.lock(`sum/${key}`);
        const { containerId, parameterId, day } = delta;
        const before = view.sums.get(key);
        const sumE4 = (before?.sumE4 ?? 0) + delta.sumE4;
        const count = (before?.count ?? 0) + delta.count;
        if (count < 0) throw new Error(`a day's readings counted below zero: ${key}`);
        if (count === 0) view.sums.delete(key);
        else view.sums.set(key, Object.freeze({ containerId, parameterId, day, sumE4, count }));
      }
    });
  }

  temperatureParameters(ids: readonly Id[]): Promise<ReadonlySet<Id>> {
    return this.#tx.call('ingest.temperatureParameters', () => {
      const parameters = this.#tx.view.ofKind('parameter');
      return new Set(
        ids.filter(
          (id) => (parameters.get(id) as FactTypes['parameter'] | undefined)?.isTemperature === true,
        ),
      );
    });
  }

  resolve(scopes: readonly ScopedReason[]): Promise<readonly ResolvedDirt[]> {
    return this.#tx.call('ingest.resolve', () => resolveScopes(scopes, this.#tx.view.factMaps()));
  }

  noteTransactions({ parts, ends }: TransactionNotes): Promise<void> {
    return this.#tx.call('ingest.noteTransactions', () => {
      const { view, session } = this.#tx;
      const seenMs = session.nowMs();
      if (parts.length > 0) this.#batch ??= session.db.next();
      const batch = this.#batch ?? 0n;
      for (const part of parts) view.parts.set(`${batch}/${part.id}`, { ...part, batch, seenMs });
      for (const end of ends)
        if (view.ends.get(end.id) === undefined) view.ends.set(end.id, { ...end, seenMs });
    });
  }

  appendDirt(dirt: readonly Dirt[]): Promise<void> {
    return this.#tx.call('ingest.appendDirt', () => {
      for (const entry of dirt) appendDirt(this.#tx, entry, this.#batch);
    });
  }

  keepDeadLetters(letters: readonly DeadLetter[]): Promise<void> {
    return this.#tx.call('ingest.keepDeadLetters', async () => {
      for (const letter of letters) {
        if (letter.record.key !== null) await this.#supersede(letter.record.topic, [letter.record.key]);
        // One that a failed attempt had settled is open again.
        this.#tx.view.letters.set(
          letterKey(letter.record),
          Object.freeze({ ...letter, state: 'open' as const }),
        );
      }
    });
  }

  supersedeDeadLetters(topic: string, keys: readonly Buffer[]): Promise<void> {
    return this.#tx.call('ingest.supersedeDeadLetters', () => this.#supersede(topic, keys));
  }

  claimDeadLetter(at: PartitionId & { readonly offset: bigint }): Promise<boolean> {
    return this.#tx.call('ingest.claimDeadLetter', async () => {
      const key = letterKey(at);
      await this.#tx.lock(`letter/${key}`);
      const letter = this.#tx.view.letters.get(key);
      if (letter?.state !== 'open') return false;
      this.#tx.view.letters.set(key, Object.freeze({ ...letter, state: 'settled' as const }));
      return true;
    });
  }

  noteSnapshot(state: 'running' | 'done'): Promise<void> {
    return this.#tx.call('ingest.noteSnapshot', () => {
      this.#tx.view.snapshot = state;
    });
  }

  /** Waits for whoever is trying such a letter again just now. */
  async #supersede(topic: string, keys: readonly Buffer[]): Promise<void> {
    const open = [...this.#tx.view.letters.snapshot()].filter(
      ([, { record, state }]) =>
        state === 'open' &&
        record.topic === topic &&
        keys.some((key) => record.key !== null && recordKeyBody(key).equals(recordKeyBody(record.key))),
    );
    for (const [at] of open) {
      await this.#tx.lock(`letter/${at}`);
      const letter = this.#tx.view.letters.get(at);
      if (letter?.state !== 'open') continue;
      this.#tx.view.letters.set(at, Object.freeze({ ...letter, state: 'superseded' as const }));
    }
  }
}

/** A text that Postgres cannot hold. */
export function hasNul(fact: object): boolean {
  return Object.values(fact).some((value) => typeof value === 'string' && value.includes('\0'));
}
