/**
 * What every state store must do, whatever it is made of: run against Postgres with TimescaleDB and without, and
 * against the simulator's memory.
 */
import { describe } from 'vitest';

import type { StateStore } from '../../src/domain/ports.ts';
import { describeCoordination } from './store-conformance-coordination.ts';
import { describeFacts } from './store-conformance-facts.ts';
import { describeLoading } from './store-conformance-loading.ts';
import { describeRows } from './store-conformance-rows.ts';
import { describeTransactions } from './store-conformance-transactions.ts';

/** A new and empty store; how long it holds back may be given. */
export type MakeStore = (transactionWaitMs?: number) => Promise<StateStore>;

export function describeStoreConformance(name: string, makeStore: MakeStore): void {
  describe(`state store: ${name}`, () => {
    describeFacts(makeStore);
    describeLoading(makeStore);
    describeRows(makeStore);
    describeCoordination(makeStore);
    describeTransactions(makeStore);
  });
}
