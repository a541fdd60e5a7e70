import { afterAll, beforeAll, describe } from 'vitest';

import { BUILDS, openBuild } from '../support/store-builds.ts';
import type { StorePlace } from '../support/store-builds.ts';
import { describeStoreConformance } from '../support/store-conformance.ts';

describe.each(BUILDS)('%s', (build) => {
  let place: StorePlace;
  beforeAll(async () => {
    place = await openBuild(build);
  });
  afterAll(() => place[Symbol.asyncDispose]());

  describeStoreConformance(`Postgres, ${build} build`, async (transactionWaitMs) => {
    const { store } = await place.newStore({}, { transactionWaitMs });
    return store;
  });
});
