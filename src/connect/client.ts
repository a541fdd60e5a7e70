/** Connect's REST API: the few calls that a deployment needs, typed and retried while a rebalance runs. */
import pRetry from 'p-retry';
import { CONNECT_ERRORS, ConnectError } from './errors.ts';
import type { ConnectorConfig, ConnectorDefinition } from './templates.ts';

export interface ConfigProblem {
  readonly key: string;
  readonly errors: readonly string[];
}

export interface TaskStatus {
  readonly id: number;
  readonly state: string;
  readonly workerId: string;
  /** First lines of the stack trace of a failed task. */
  readonly trace: readonly string[];
}

export interface ConnectorState {
  readonly name: string;
  readonly state: string;
  readonly workerId: string;
  readonly trace: readonly string[];
  readonly tasks: readonly TaskStatus[];
}

export type Applied = 'created' | 'updated' | 'unchanged';

interface RawState {
  readonly state: string;
  readonly worker_id: string;
  readonly trace?: string;
}

interface RawValidation {
  readonly error_count: number;
  readonly configs: readonly {
    readonly value: { readonly name: string; readonly errors: readonly string[] };
  }[];
}

const TRACE_LINES = 4;

export class ConnectClient {
  readonly #url: string;
  readonly #retries: number;

  /** `retries`: how often a call is repeated while Connect rebalances or cannot be reached; about 1 s apart. */
  constructor(url: string, retries = 20) {
    this.#url = url.replace(/\/$/, '');
    this.#retries = retries;
  }

  /** Names of all connectors. */
  async connectors(): Promise<readonly string[]> {
    return (await this.#call<string[]>('GET', '/connectors')) ?? [];
  }

  /** What the plugin finds wrong with a configuration; it also tries the source's login. */
  async validate(definition: ConnectorDefinition): Promise<readonly ConfigProblem[]> {
    const plugin = definition.config['connector.class'] ?? '';
    const result = await this.#call<RawValidation>(
      'PUT',
      `/connector-plugins/${encodeURIComponent(plugin)}/config/validate`,
      { name: definition.name, ...definition.config },
    );
    if (result === null) throw new ConnectError(CONNECT_ERRORS.refused, `Connect has no plugin ${plugin}`);
    return result.configs
      .flatMap(({ value }) => (value === null || value.errors.length === 0 ? [] : [value]))
      .map(({ name, errors }) => ({ key: name, errors }));
  }

  /** The stored configuration; null when there is no such connector. */
  config(name: string): Promise<ConnectorConfig | null> {
    return this.#call<ConnectorConfig>('GET', `${path(name)}/config`);
  }

  /** Validates, then writes the configuration only where it differs. Throws CON004 naming each faulty key. */
  async apply(definition: ConnectorDefinition): Promise<Applied> {
    const problems = await this.validate(definition);
    if (problems.length > 0) {
      const lines = problems.map(({ key, errors }) => `${key}: ${errors.join('; ')}`);
      throw new ConnectError(
        CONNECT_ERRORS.invalidConfig,
        `Connect refuses the connector ${definition.name}:\n  ${lines.join('\n  ')}`,
      );
    }
    const wanted = { ...definition.config, name: definition.name };
    const stored = await this.config(definition.name);
    if (stored !== null && sameConfig(stored, wanted)) return 'unchanged';
    await this.#call('PUT', `${path(definition.name)}/config`, wanted);
    return stored === null ? 'created' : 'updated';
  }

  /** Connector and tasks; null when there is no such connector. */
  async state(name: string): Promise<ConnectorState | null> {
    const raw = await this.#call<{ connector: RawState; tasks: readonly (RawState & { id: number })[] }>(
      'GET',
      `${path(name)}/status`,
    );
    if (raw === null) return null;
    return {
      name,
      state: raw.connector.state,
      workerId: raw.connector.worker_id,
      trace: traceHead(raw.connector.trace),
      tasks: raw.tasks.map((task) => ({
        id: task.id,
        state: task.state,
        workerId: task.worker_id,
        trace: traceHead(task.trace),
      })),
    };
  }

  /** Resolves once the connector and its task run; throws CON005 with the trace when one fails or time is up. */
  async awaitRunning(name: string, timeoutMs: number): Promise<ConnectorState> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const state = await this.state(name);
      if (state !== null && isRunning(state)) return state;
      const failed = [state, ...(state?.tasks ?? [])].find((part) => part?.state === 'FAILED');
      if (failed !== undefined || Date.now() >= deadline) {
        const what = failed === undefined ? `does not run after ${timeoutMs / 1000} s` : 'failed';
        const trace =
          failed?.trace.join('\n  ') ?? (state === null ? 'there is no such connector' : state.state);
        throw new ConnectError(CONNECT_ERRORS.failed, `connector ${name} ${what}:\n  ${trace}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  /** Starts what failed again and leaves alone what runs. */
  async restartFailed(name: string): Promise<void> {
    await this.#call('POST', `${path(name)}/restart?includeTasks=true&onlyFailed=true`);
  }

  /** Starts connector and tasks anew; their state is RESTARTING from here on until they run. */
  async restart(name: string): Promise<void> {
    await this.#call('POST', `${path(name)}/restart?includeTasks=true`);
  }

  async pause(name: string): Promise<void> {
    await this.#call('PUT', `${path(name)}/pause`);
  }

  async resume(name: string): Promise<void> {
    await this.#call('PUT', `${path(name)}/resume`);
  }

  /** Removes the connector; its slot and its topics stay. */
  async remove(name: string): Promise<void> {
    await this.#call('DELETE', path(name));
  }

  /** null for 404; throws CON002 when Connect cannot be reached, CON003 with its words when it refuses. */
  async #call<T>(method: string, route: string, body?: unknown): Promise<T | null> {
    const attempt = async () => {
      const response = await this.#fetch(method, route, body);
      const text = await response.text();
      if (response.status === 404) return null;
      if (response.ok) return (text === '' ? null : JSON.parse(text)) as T;
      throw new ConnectError(
        CONNECT_ERRORS.refused,
        `Connect refuses ${method} ${route}: ${messageOf(text)}`,
        {
          // 409: a rebalance is under way; 503: the worker is still joining.
          retryable: response.status === 409 || response.status === 503,
        },
      );
    };
    return pRetry(attempt, {
      retries: this.#retries,
      minTimeout: 250,
      maxTimeout: 1000,
      shouldRetry: ({ error }) => error instanceof ConnectError && error.retryable,
    });
  }

  async #fetch(method: string, route: string, body: unknown): Promise<Response> {
    try {
      return await fetch(this.#url + route, {
        method,
        signal: AbortSignal.timeout(60_000),
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
    } catch (error) {
      throw new ConnectError(CONNECT_ERRORS.unreachable, `Connect does not answer at ${this.#url}`, {
        cause: error,
        retryable: true,
      });
    }
  }
}

export function isRunning(state: ConnectorState): boolean {
  return (
    state.state === 'RUNNING' &&
    state.tasks.length > 0 &&
    state.tasks.every((task) => task.state === 'RUNNING')
  );
}

function path(name: string): string {
  return `/connectors/${encodeURIComponent(name)}`;
}

function sameConfig(a: ConnectorConfig, b: ConnectorConfig): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => a[key] === b[key]);
}

function traceHead(trace: string | undefined): readonly string[] {
  if (trace === undefined) return [];
  const lines = trace.split('\n').filter((line) => line.trim() !== '');
  // The causes tell more than the frames between them.
  const telling = lines.filter((line) => !/^\s+(at |\.\.\. )/.test(line));
  return telling.slice(0, TRACE_LINES).map((line) => line.trim());
}

function messageOf(text: string): string {
  try {
    const parsed = JSON.parse(text) as { message?: unknown };
    return typeof parsed.message === 'string' ? parsed.message : text;
  } catch {
    return text.slice(0, 500);
  }
}
