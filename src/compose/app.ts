/** What every service of a running process shares. */
import type { Config } from '../config/load.ts';
import type { Clock } from '../domain/ports.ts';
import type { KafkaConnection } from '../kafka/client.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { PgStore } from '../store/pg-store.ts';
import type { WorkInHand } from './work-in-hand.ts';

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
  readonly work: WorkInHand;
}

/** What services know of their own readiness: problems by service, and within it by part (a partition). */
export class Health {
  readonly #problems = new Map<string, Map<string, string>>();

  /** null: the part is fine. True where it began or ceased to be so: worth a word in the log. */
  set(service: string, problem: string | null, part = ''): boolean {
    const known = this.#problems.get(service) ?? new Map<string, string>();
    const changed = known.has(part) !== (problem !== null);
    if (problem === null) known.delete(part);
    else known.set(part, problem);
    this.#problems.set(service, known);
    return changed;
  }

  /** The named parts of the service are fine again. */
  clear(service: string, parts: (part: string) => boolean): void {
    const known = this.#problems.get(service);
    for (const part of known?.keys() ?? []) if (parts(part)) known?.delete(part);
  }

  /** One problem of the service in words, and how many there are besides; null: none. */
  get(service: string): string | null {
    const [first, ...others] = this.#problems.get(service)?.values() ?? [];
    if (first === undefined) return null;
    return others.length === 0 ? first : `${first} (and ${others.length} more)`;
  }
}
