import { afterEach, describe, expect, it } from 'vitest';

import { createHttpService } from '../../src/http/server.ts';
import type { HealthCheck, HttpService } from '../../src/http/server.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { systemClock } from '../../src/runtime/system-clock.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { keepLog } from '../support/log-lines.ts';

const started: HttpService[] = [];
afterEach(async () => {
  for (const service of started.splice(0)) await service.stop?.();
});

async function serve(ready: readonly HealthCheck[], clock = new FakeClock(), port = 0): Promise<string> {
  const live: HealthCheck[] = [{ name: 'progress', check: () => null }];
  const metrics = createMetrics();
  const service = createHttpService({
    host: '127.0.0.1',
    port,
    metrics,
    live,
    ready,
    clock,
    log: keepLog().log,
  });
  await service.start?.(AbortSignal.timeout(10_000));
  started.push(service);
  return service.address();
}

describe('http', () => {
  it('serves the metrics as Prometheus reads them', async () => {
    const response = await fetch(`${await serve([])}/metrics`);
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(await response.text()).toContain('anchorline_rows_computed_total 0');
  });

  it('is ready when every check passes', async () => {
    const response = await fetch(`${await serve([{ name: 'store', check: () => null }])}/readyz`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ ok: true, missing: {}, checks: ['store'] });
  });

  it('names everything that is missing, and stays alive', async () => {
    const base = await serve([
      { name: 'store', check: () => Promise.reject(new Error('refused')) },
      { name: 'partitions', check: () => 'none assigned yet' },
      { name: 'registry', check: () => null },
    ]);
    const response = await fetch(`${base}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      ok: false,
      missing: { store: 'refused', partitions: 'none assigned yet' },
    });
    expect((await fetch(`${base}/livez`)).status).toBe(200);
  });

  it('answers although a check hangs', async () => {
    const clock = new FakeClock();
    const base = await serve([{ name: 'store', check: () => new Promise(() => undefined) }], clock);
    const response = fetch(`${base}/readyz`);
    await expect.poll(() => clock.sleeping).toBe(1);
    clock.advance(2_000);
    expect(await (await response).json()).toMatchObject({ missing: { store: 'no answer within 2000 ms' } });
  });

  it('says which setting to change when the port is taken', async () => {
    const port = Number(new URL(await serve([])).port);
    await expect(serve([], new FakeClock(), port)).rejects.toMatchObject({
      code: 'HTP001',
      message: expect.stringMatching(/set http\.port to a free port/),
    });
  });
});

describe('system clock', () => {
  it('rejects a sleep with the reason of its signal', async () => {
    const abort = new AbortController();
    const sleeping = systemClock.sleep(60_000, abort.signal);
    const reason = new Error('stopping');
    abort.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
  });
});
