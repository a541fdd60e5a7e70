import { EventEmitter } from 'node:events';

import { describe, expect, it } from 'vitest';

import { EXIT } from '../../src/runtime/exit-codes.ts';
import { runServices } from '../../src/runtime/lifecycle.ts';
import type { Service } from '../../src/runtime/lifecycle.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { keepLog } from '../support/log-lines.ts';

function setup(): {
  readonly events: string[];
  readonly clock: FakeClock;
  readonly signals: EventEmitter;
  readonly lines: ReturnType<typeof keepLog>['lines'];
  service(id: string, parts?: Partial<Service>): Service;
  run(services: readonly Service[]): Promise<number>;
} {
  const events: string[] = [];
  const clock = new FakeClock();
  const signals = new EventEmitter();
  const { log, lines } = keepLog();
  const note = async (event: string): Promise<void> => void events.push(event);
  return {
    events,
    clock,
    signals,
    lines,
    service: (id, parts = {}) => ({
      id,
      start: () => note(`start ${id}`),
      drain: () => note(`drain ${id}`),
      stop: () => note(`stop ${id}`),
      ...parts,
    }),
    run: (services) =>
      runServices(services, {
        log,
        clock,
        signals,
        deadlineMs: 1_000,
        onReady: () => void events.push('ready'),
      }),
  };
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
const never = (): Promise<void> => new Promise(() => undefined);

describe('lifecycle', () => {
  it('starts in order, drains all, then stops in reverse order', async () => {
    const { service, run, events, signals } = setup();
    const code = run([service('a', { run: untilAborted }), service('b'), service('c')]);
    await expect.poll(() => events).toContain('ready');
    signals.emit('SIGTERM');
    expect(await code).toBe(EXIT.ok);
    expect(events).toEqual([
      'start a',
      'start b',
      'start c',
      'ready',
      'drain a',
      'drain b',
      'drain c',
      'stop c',
      'stop b',
      'stop a',
    ]);
    expect(signals.listenerCount('SIGTERM')).toBe(0);
  });

  it('rolls back when one does not start', async () => {
    const { service, run, events, lines } = setup();
    const broken = service('b', { start: () => Promise.reject(new Error('port taken')) });
    expect(await run([service('a'), broken, service('c')])).toBe(EXIT.failure);
    expect(events).toEqual(['start a', 'drain a', 'stop a']);
    expect(lines.find((line) => line.level === 'error')).toMatchObject({
      service: 'b',
      msg: 'b did not start',
    });
  });

  it('stops the others when one fails while running, or ends by itself', async () => {
    for (const run of [() => Promise.reject(new Error('lost')), () => Promise.resolve()]) {
      const { service, run: start, events } = setup();
      expect(await start([service('a'), service('b', { run })])).toBe(EXIT.failure);
      expect(events.slice(-2)).toEqual(['stop b', 'stop a']);
    }
  });

  it('waits for the end of run before it stops a service', async () => {
    const { service, run, events, signals } = setup();
    const slow = service('a', {
      async run(signal) {
        await untilAborted(signal);
        await Promise.resolve();
        events.push('run ended');
      },
    });
    const code = run([slow]);
    await expect.poll(() => events).toContain('ready');
    signals.emit('SIGINT');
    await code;
    expect(events.slice(-2)).toEqual(['run ended', 'stop a']);
  });

  it('lets all end their work side by side', async () => {
    const { service, run, events, signals } = setup();
    const told = Promise.withResolvers<void>();
    const a = service('a', { run: (signal) => untilAborted(signal).then(told.resolve) });
    const b = service('b', { run: (signal) => untilAborted(signal).then(() => told.promise) });
    const code = run([a, b]);
    await expect.poll(() => events).toContain('ready');
    signals.emit('SIGTERM');
    expect(await code).toBe(EXIT.ok);
    expect(events.slice(-2)).toEqual(['stop b', 'stop a']);
  });

  it('stops every service even if one fails to stop', async () => {
    const { service, run, events, signals } = setup();
    const stubborn = service('b', { stop: () => Promise.reject(new Error('no')) });
    const code = run([service('a'), stubborn]);
    await expect.poll(() => events).toContain('ready');
    signals.emit('SIGTERM');
    expect(await code).toBe(EXIT.failure);
    expect(events.at(-1)).toBe('stop a');
  });

  it('gives up at the deadline and names who is late', async () => {
    const { service, run, events, signals, clock, lines } = setup();
    const code = run([service('a'), service('b', { stop: never })]);
    await expect.poll(() => events).toContain('ready');
    signals.emit('SIGTERM');
    await expect.poll(() => clock.sleeping).toBe(1);
    await expect.poll(() => events).toContain('drain a');
    clock.advance(1_000);
    expect(await code).toBe(EXIT.deadline);
    expect(lines.at(-1)?.msg).toBe('not stopped within 1000 ms: still waiting for b');
  });

  it('is forced by a second signal', async () => {
    const { service, run, events, signals } = setup();
    const code = run([service('a', { drain: never })]);
    await expect.poll(() => events).toContain('ready');
    signals.emit('SIGINT');
    signals.emit('SIGINT');
    expect(await code).toBe(EXIT.forced);
  });

  it('starts nothing more once it is asked to stop', async () => {
    const { service, run, events, signals } = setup();
    const first = service('a', {
      async start() {
        signals.emit('SIGTERM');
      },
    });
    expect(await run([first, service('b')])).toBe(EXIT.ok);
    expect(events).toEqual(['drain a', 'stop a']);
  });
});
