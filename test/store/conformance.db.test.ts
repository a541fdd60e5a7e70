import { afterAll, beforeAll, describe } from 'vitest';

import { BUILDS, openBuild } from '../support/store-builds.ts';
import type { StorePlace } from '../support/store-builds.ts';
import { describeStoreConformance } from '../support/store-conformance.ts';

describe.each(BUILDS)('Postgres, %s build', (build) => {
  let place: StorePlace;
  beforeAll(async () => {
    place = await openBuild(build);
  });
  afterAll(() => place[Symbol.asyncDispose]());

  describeStoreConformance('state store', async () => (await place.newStore()).store);
});
