import { describe, expect, test } from 'vitest';
import type { ConnectorState } from '../../src/connect/client.ts';
import { findAge } from '../../src/connect/heartbeat.ts';
import type { SlotStatus } from '../../src/connect/slot.ts';
import { type ConnectorStatus, isHealthy, mendsOf, renderConnectorStatus } from '../../src/connect/status.ts';

const slot: SlotStatus = {
  slot: 's',
  active: true,
  lagBytes: 100,
  retainedBytes: 5_242_880,
  walStatus: 'reserved',
};
const task = { id: 0, state: 'RUNNING', workerId: 'w', trace: [] };
const connector: ConnectorState = { name: 'c', state: 'RUNNING', workerId: 'w', trace: [], tasks: [task] };
const failed = { ...task, state: 'FAILED', trace: ['ConnectException: no', 'Caused by: a reason'] };
const heartbeat = { topic: 't', ageMs: 4_000, intervalMs: 10_000 };
const well: ConnectorStatus = { name: 'c', connector, slot, heartbeat };
const late = { ...heartbeat, ageMs: 41_000 };
const idle = { ...slot, active: false };

describe('health', () => {
  test.each([
    ['all runs', {}, true],
    ['the source was not asked', { slot: 'unknown' as const }, true],
    ['nobody was asked', { slot: 'unknown' as const, heartbeat: 'unknown' as const }, true],
    ['not deployed', { connector: null }, false],
    ['no task', { connector: { ...connector, tasks: [] } }, false],
    ['a failed task', { connector: { ...connector, tasks: [failed] } }, false],
    ['paused', { connector: { ...connector, state: 'PAUSED' } }, false],
    ['no slot', { slot: null }, false],
    ['lost WAL', { slot: { ...slot, walStatus: 'lost' } }, false],
    ['a heartbeat that is almost late', { heartbeat: { ...heartbeat, ageMs: 40_000 } }, true],
    ['a late heartbeat', { heartbeat: late }, false],
    ['no heartbeat yet', { heartbeat: { ...heartbeat, ageMs: null } }, false],
    ['no heartbeat wanted', { heartbeat: { ...heartbeat, ageMs: null, intervalMs: 0 } }, true],
    ['a slot that is taken up again, the heart beats', { slot: idle }, true],
    ['a slot that nobody reads', { slot: idle, heartbeat: 'unknown' as const }, false],
  ])('%s', (_what, part, healthy) => {
    const status = { ...well, ...part };
    expect(isHealthy(status)).toBe(healthy);
    expect(mendsOf(status).length === 0).toBe(healthy);
  });
});

describe('in words', () => {
  test('a healthy connector', () => {
    expect(renderConnectorStatus(well).split('\n')).toEqual([
      'connector c: RUNNING on w',
      '  task 0: RUNNING on w',
      '  slot s: in use, 100 B behind, 5.0 MB of WAL kept (reserved)',
      '  heartbeat: 4 s ago, one is due every 10 s',
    ]);
  });

  test('a failed task with the reason, a lost slot, and the mends', () => {
    const text = renderConnectorStatus({
      ...well,
      connector: { ...connector, tasks: [failed] },
      slot: { ...idle, walStatus: 'lost' },
      heartbeat: late,
    });
    expect(text).toMatch(/FAILED on w\n {4}ConnectException: no\n {4}Caused by: a reason/);
    expect(text).toContain('not in use');
    expect(text).toContain('heartbeat: 41 s ago (late)');
    expect(text).toMatch(/mend: mend what the trace names; .*restart --failed-only/);
    expect(text).toMatch(/mend: .*resnapshot --all --new-slot/);
  });

  test('a known failure has its own mend', () => {
    const trace = ['FATAL: password authentication failed for user "cdc"'];
    const status = { ...well, connector: { ...connector, tasks: [{ ...failed, trace }] } };
    expect(mendsOf(status)).toEqual([expect.stringContaining('source.password')]);
  });

  test('one that runs and reads nothing', () => {
    expect(mendsOf({ ...well, slot: idle, heartbeat: late })).toEqual([
      expect.stringContaining('it runs, but reads nothing'),
    ]);
  });

  test('nothing deployed, nobody reached', () => {
    const status = { name: 'c', connector: null, slot: 'unknown', heartbeat: 'unknown' } as const;
    expect(renderConnectorStatus(status).split('\n')).toEqual([
      'connector c: not deployed',
      '  slot: unknown (the source was not reached)',
      '  heartbeat: unknown (Kafka was not reached, or nothing is deployed)',
      expect.stringContaining('connectors apply'),
    ]);
  });
});

describe('the age of the last record', () => {
  test.each([0, 400, 1_000, 1_900, 59_000, 3_600_000, 6 * 86_400_000])(
    'of %i ms is found to the second, in few questions',
    async (age) => {
      let asked = 0;
      const found = await findAge(async (since) => {
        asked += 1;
        return age <= since;
      });
      expect(Math.abs((found ?? Infinity) - age)).toBeLessThanOrEqual(1_000);
      expect(asked).toBeLessThan(45);
    },
  );

  test('is not looked for without end', async () => {
    expect(await findAge(async () => false)).toBeNull();
  });
});
