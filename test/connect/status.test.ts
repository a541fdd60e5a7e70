import { describe, expect, test } from 'vitest';
import type { ConnectorState } from '../../src/connect/client.ts';
import type { SlotStatus } from '../../src/connect/slot.ts';
import { isHealthy, renderBytes, renderConnectorStatus } from '../../src/connect/status.ts';

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

describe('health', () => {
  test.each([
    ['all runs', { connector, slot }, true],
    ['the source was not asked', { connector, slot: 'unknown' as const }, true],
    ['not deployed', { connector: null, slot }, false],
    ['no task', { connector: { ...connector, tasks: [] }, slot }, false],
    ['a failed task', { connector: { ...connector, tasks: [failed] }, slot }, false],
    ['paused', { connector: { ...connector, state: 'PAUSED' }, slot }, false],
    ['no slot', { connector, slot: null }, false],
    ['lost WAL', { connector, slot: { ...slot, walStatus: 'lost' } }, false],
  ])('%s', (_what, status, healthy) => {
    expect(isHealthy(status)).toBe(healthy);
  });
});

describe('in words', () => {
  test('a healthy connector', () => {
    expect(renderConnectorStatus('c', { connector, slot })).toBe(
      'connector c: RUNNING on w\n  task 0: RUNNING on w\n  slot s: in use, 100 B behind, 5.0 MB of WAL kept (reserved)',
    );
  });

  test('a failed task with the reason, a lost slot with the mend', () => {
    const status = {
      connector: { ...connector, tasks: [failed] },
      slot: { ...slot, active: false, walStatus: 'lost' },
    };
    expect(renderConnectorStatus('c', status)).toMatch(
      /FAILED on w\n {4}ConnectException: no\n {4}Caused by: a reason/,
    );
    expect(renderConnectorStatus('c', status)).toContain('not in use');
    expect(renderConnectorStatus('c', status)).toContain('anchorline resnapshot --all --new-slot');
  });

  test('nothing deployed', () => {
    expect(renderConnectorStatus('c', { connector: null, slot: null })).toBe('connector c: not deployed');
  });

  test.each([
    [null, 'unknown'],
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 kB'],
    [3 * 1024 ** 4, '3.0 TB'],
    [4096 * 1024 ** 4, '4096.0 TB'],
  ])('%j bytes', (bytes, text) => {
    expect(renderBytes(bytes)).toBe(text);
  });
});
