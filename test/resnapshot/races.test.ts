/** A run against everything that may happen beside it, in thousands of small histories. */
import { describe, expect, test } from 'vitest';
import type { ResnapshotStore } from '../../src/domain/resnapshot.ts';
import { ResnapshotWorld } from '../support/resnapshot-world.ts';
import type { WorldSabotage } from '../support/resnapshot-world.ts';

const HISTORIES = 1_000;

/** The first history that goes wrong, and how; null where none does. */
async function firstWrong(
  sabotage: WorldSabotage = {},
): Promise<readonly [number, readonly string[]] | null> {
  for (let seed = 1; seed <= HISTORIES; seed += 1) {
    const problems = await new ResnapshotWorld(seed, sabotage).play();
    if (problems.length > 0) return [seed, problems];
  }
  return null;
}

function wrong(change: (store: ResnapshotStore) => Partial<ResnapshotStore>): WorldSabotage {
  return {
    store: (store) => {
      const changed = change(store);
      return new Proxy(store, {
        get: (target, name) => {
          const own: unknown = Reflect.get(changed, name) ?? Reflect.get(target, name);
          return typeof own === 'function' ? own.bind(target) : own;
        },
      });
    },
  };
}

test('facts and topic end as the source has its rows, whatever changes, dies and is repeated meanwhile', async () => {
  expect(await firstWrong()).toBeNull();
});

describe('histories notice a sweep that', () => {
  test('does not look for rows that came back before their tombstone', async () => {
    expect(await firstWrong(wrong(() => ({ disturbed: async () => [] })))).not.toBeNull();
  });

  test('takes for gone what came between picking and writing', async () => {
    const early = (store: ResnapshotStore) => ({
      nextGone: async (...[of]: Parameters<ResnapshotStore['nextGone']>) => {
        const all = Array.from({ length: 6 }, (_, i) => ({ id: i + 1, timeUs: 0 }));
        return (await store.countGone(of)).gone === 0 ? [] : all;
      },
    });
    expect(await firstWrong(wrong(early))).not.toBeNull();
  });

  test('does not wait until it has read what the connector had sent', async () => {
    const hasty = (store: ResnapshotStore) => ({
      partitions: async (id: string) =>
        (await store.partitions(id)).map((at) => ({
          ...at,
          read: at.target ?? at.read,
          ingested: at.target ?? 0n,
        })),
    });
    expect(await firstWrong(wrong(hasty))).not.toBeNull();
  });
});
