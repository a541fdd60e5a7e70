/** What Kafka Connect says of itself and of the connector. */
import type { ClockLook } from './clock-look.ts';

export interface ConnectServer {
  readonly version: string;
  readonly clusterId: string | null;
  readonly tookMs: number;
  /** null: its answers carry no date. */
  readonly clock: ClockLook | null;
}

export interface ConnectorTasks {
  readonly state: string;
  readonly worker: string;
  /** First lines of what it failed with. */
  readonly trace: readonly string[];
  readonly tasks: readonly ConnectorTask[];
}

export interface ConnectorTask {
  readonly id: number;
  readonly state: string;
  readonly worker: string;
  readonly trace: readonly string[];
}

export interface ConnectConfig {
  /** null: there is no such connector. Secrets are masked. */
  readonly deployed: Readonly<Record<string, string>> | null;
  /** Where it differs from what connectors/ and the settings make, in words; secrets are masked. */
  readonly differences: readonly string[];
}

/** null where the endpoint does not tell it. */
export interface ConnectMetrics {
  readonly queueTotal: number | null;
  readonly queueRemaining: number | null;
  readonly behindSourceMs: number | null;
}
