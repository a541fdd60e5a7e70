/** What every service of a running process shares. */
import type { Config } from '../config/load.ts';
import type { Clock } from '../domain/ports.ts';
import type { KafkaConnection } from '../kafka/client.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { PgStore } from '../store/pg-store.ts';

export interface App {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly store: PgStore;
  readonly kafka: KafkaConnection;
  /** Tells one life of a process from the next: leases are held in its name. */
  readonly processId: string;
  readonly health: Health;
}

/** What a service knows of its own readiness; null: fine. */
export class Health {
  readonly #states = new Map<string, string | null>();

  set(name: string, problem: string | null): void {
    this.#states.set(name, problem);
  }

  get(name: string): string | null {
    return this.#states.get(name) ?? null;
  }
}
