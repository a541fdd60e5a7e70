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

/** What services know of their own readiness: problems by service, and within it by part (a partition). */
export class Health {
  readonly #problems = new Map<string, Map<string, string>>();

  /** null: the part is fine. */
  set(service: string, problem: string | null, part = ''): void {
    const known = this.#problems.get(service) ?? new Map<string, string>();
    if (problem === null) known.delete(part);
    else known.set(part, problem);
    this.#problems.set(service, known);
  }

  /** One problem of the service in words, and how many there are besides; null: none. */
  get(service: string): string | null {
    const [first, ...others] = this.#problems.get(service)?.values() ?? [];
    if (first === undefined) return null;
    return others.length === 0 ? first : `${first} (and ${others.length} more)`;
  }
}
