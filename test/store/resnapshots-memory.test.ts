import { describe } from 'vitest';
import { MemoryDatabase } from '../support/memory-database.ts';
import { MemoryResnapshots } from '../support/memory-resnapshots.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { describeResnapshots } from '../support/store-conformance-resnapshots.ts';

describe('resnapshots: memory', () => {
  describeResnapshots(async () => {
    const db = new MemoryDatabase();
    const runs = new MemoryResnapshots(db);
    const loseUnlogged = async (): Promise<void> => runs.loseUnlogged();
    return { store: new MemoryStore(db, { nowMs: () => 1_000 }), runs, loseUnlogged };
  });
});
