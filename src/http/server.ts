/**
 * What an operator's tools ask a running process: /metrics, /livez, /readyz.
 * Ready means that every named check passes; what is missing is named, so that a 503 is an answer and not a riddle.
 */
import { fastify } from 'fastify';
import type { FastifyInstance } from 'fastify';

import { AnchorlineError } from '../domain/errors.ts';
import type { Clock } from '../domain/ports.ts';
import { describeError } from '../runtime/describe-error.ts';
import type { Service } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';

/** null: fine; else what is missing, in words for an operator. A check that throws or hangs is not fine. */
export interface HealthCheck {
  readonly name: string;
  check(): string | null | Promise<string | null>;
}

export interface HttpOptions {
  readonly host: string;
  /** 0: any free port; see `address`. */
  readonly port: number;
  readonly metrics: Pick<Metrics, 'registry'>;
  /** Failing for good: whoever supervises the process should replace it. */
  readonly live: readonly HealthCheck[];
  /** Not able to work now; it heals by itself. */
  readonly ready: readonly HealthCheck[];
  readonly clock: Clock;
  readonly log: Logger;
}

export interface HttpService extends Service {
  /** `http://host:port` once started. */
  readonly address: () => string;
}

const CHECK_LIMIT_MS = 2_000;

export function createHttpService(options: HttpOptions): HttpService {
  const app = fastify({ logger: false });
  app.get('/metrics', async (_request, reply) => {
    const text = await options.metrics.registry.metrics();
    return reply.type(options.metrics.registry.contentType).send(text);
  });
  addHealth(app, '/livez', options.live, options.clock);
  addHealth(app, '/readyz', options.ready, options.clock);

  let address = '';
  return {
    id: 'http',
    address: () => address,
    async start() {
      try {
        address = await app.listen({ host: options.host, port: options.port });
      } catch (error) {
        throw new AnchorlineError(
          'HTP001',
          `cannot listen on ${options.host}:${options.port}: ${describeError(error)}; set http.port to a free port`,
          { cause: error },
        );
      }
      options.log.info({ address }, `metrics and health at ${address}`);
    },
    stop: () => app.close(),
  };
}

function addHealth(app: FastifyInstance, path: string, checks: readonly HealthCheck[], clock: Clock): void {
  app.get(path, async (_request, reply) => {
    const results = await Promise.all(checks.map((check) => outcome(check, clock)));
    const missing = Object.fromEntries(results.filter(([, reason]) => reason !== null));
    const ok = Object.keys(missing).length === 0;
    return reply.code(ok ? 200 : 503).send({ ok, missing, checks: checks.map((check) => check.name) });
  });
}

async function outcome(health: HealthCheck, clock: Clock): Promise<readonly [string, string | null]> {
  const done = new AbortController();
  try {
    const late = clock.sleep(CHECK_LIMIT_MS, done.signal).then(() => `no answer within ${CHECK_LIMIT_MS} ms`);
    // Rejects when the check was quicker; that is its way of ending.
    late.catch(() => undefined);
    return [health.name, await Promise.race([health.check(), late])];
  } catch (error) {
    return [health.name, describeError(error)];
  } finally {
    done.abort();
  }
}
