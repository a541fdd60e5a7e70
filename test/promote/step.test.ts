import { describe, expect, it } from 'vitest';
import type { Distance, Held, PromotionStore, Switched } from '../../src/promote/step.ts';
import { promote } from '../../src/promote/step.ts';

const SWITCHED: Switched = { keptAs: 'before', changed: 3, gone: 1 };

/** Two schemas of which only the distance is known; what happens is written down. */
class World implements PromotionStore {
  readonly steps: string[] = [];
  offsets = 100;
  waiting: number[] = [4, 5];
  parked: number[] = [];
  entered = 0;
  nowMs = 0;
  onRecompute: () => void = () => undefined;
  /** Called whenever the served tables are held. */
  onHold: (times: number) => void = () => undefined;
  #holds = 0;

  get deps() {
    return {
      store: this,
      recompute: async (ids: readonly number[]) => {
        this.steps.push(`recompute ${ids.join(',')}`);
        this.waiting = this.waiting.filter((id) => !ids.includes(id));
        this.onRecompute();
      },
      clock: {
        nowMs: () => this.nowMs,
        sleep: async (ms: number) => {
          this.nowMs += ms;
          this.offsets = Math.max(0, this.offsets - 60);
        },
      },
      onProgress: () => undefined,
    };
  }

  async distance(): Promise<Distance> {
    return { offsets: this.offsets, waiting: [...this.waiting], entered: this.entered };
  }

  async bringEntered(): Promise<void> {
    this.entered = 0;
  }

  async adopt(): Promise<number> {
    this.steps.push('adopt');
    return 0;
  }

  async newlyParked(): Promise<readonly number[]> {
    return this.parked;
  }

  async hold(work: (held: Held) => Promise<Switched | null>): Promise<Switched | null> {
    this.#holds += 1;
    this.steps.push('hold');
    this.onHold(this.#holds);
    return work({
      distance: () => this.distance(),
      newlyParked: () => this.newlyParked(),
      stopIngest: async () => void this.steps.push('stop ingest'),
      switchOver: async () => {
        this.steps.push('switch');
        return SWITCHED;
      },
    });
  }
}

const options = { holdMs: 1_000, nearOffsets: 0, signal: new AbortController().signal };

describe('a promotion', () => {
  it('catches up before it keeps anybody waiting', async () => {
    const world = new World();
    expect(await promote(world.deps, options)).toBe(SWITCHED);
    expect(world.steps).toEqual(['recompute 4,5', 'adopt', 'hold', 'stop ingest', 'switch']);
  });

  it('reads and computes under the lock what came in between', async () => {
    const world = new World();
    world.onHold = () => {
      world.offsets = 30;
      world.waiting = [9];
    };
    await promote(world.deps, options);
    expect(world.steps.slice(-4)).toEqual(['hold', 'recompute 9', 'stop ingest', 'switch']);
  });

  it('lets go where it takes too long, catches up and tries again', async () => {
    const world = new World();
    world.onHold = (times) => {
      if (times === 1) world.offsets = 1_000_000;
      else world.offsets = 0;
    };
    world.waiting = [];
    const promoting = promote(
      {
        ...world.deps,
        clock: {
          nowMs: () => world.nowMs,
          sleep: async (ms: number) => {
            world.nowMs += ms;
            if (ms >= 100) world.offsets = 0;
          },
        },
      },
      options,
    );
    expect(await promoting).toBe(SWITCHED);
    expect(world.steps.filter((step) => step === 'hold')).toHaveLength(2);
    expect(world.steps.filter((step) => step === 'switch')).toHaveLength(1);
  });

  it('does not wait for the last of it where more comes all the time', async () => {
    const world = new World();
    world.offsets = 40;
    let more = true;
    world.onRecompute = () => {
      if (more) world.waiting = [6];
      more = false;
    };
    await promote(world.deps, { ...options, nearOffsets: 50 });
    expect(world.steps.slice(0, 3)).toEqual(['recompute 4,5', 'adopt', 'hold']);
    expect(world.steps.at(-1)).toBe('switch');
  });

  it('does not hold anybody for what would take longer than that', async () => {
    const world = new World();
    world.offsets = 0;
    let rounds = 0;
    world.onRecompute = () => {
      rounds += 1;
      world.nowMs += rounds < 3 ? 2_000 : 10;
      world.waiting = rounds < 4 ? [7] : [];
    };
    await promote(world.deps, options);
    expect(world.steps.indexOf('hold')).toBeGreaterThanOrEqual(3);
  });

  it('lets go where an operator entered something meanwhile', async () => {
    const world = new World();
    world.onHold = (times) => {
      if (times === 1) world.entered = 1;
    };
    await promote(world.deps, options);
    expect(world.steps.filter((step) => step === 'hold')).toHaveLength(2);
  });

  it('refuses where the new schema fails to compute an assignment', async () => {
    const world = new World();
    world.parked = [12];
    await expect(promote(world.deps, options)).rejects.toMatchObject({ code: 'PRO003' });
    expect(world.steps).not.toContain('hold');
  });

  it('gives up in the end where it never draws level', async () => {
    const world = new World();
    world.onHold = () => {
      world.entered = 1;
    };
    await expect(promote(world.deps, options)).rejects.toMatchObject({ code: 'PRO002' });
    expect(world.steps).not.toContain('switch');
  });

  it('is stopped by a signal', async () => {
    const stop = new AbortController();
    const world = new World();
    stop.abort(new Error('enough'));
    await expect(promote(world.deps, { ...options, signal: stop.signal })).rejects.toThrow('enough');
    expect(world.steps).toEqual([]);
  });
});
