import { describeStoreConformance } from '../support/store-conformance.ts';
import { MemoryDatabase } from '../support/memory-database.ts';
import { MemoryStore } from '../support/memory-store.ts';

describeStoreConformance('memory', async (transactionWaitMs = 60_000) => {
  return new MemoryStore(new MemoryDatabase(), { nowMs: () => 1_000, transactionWaitMs });
});
