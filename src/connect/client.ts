/** Connect's REST API: the few calls that a deployment needs, typed. */
import { CONNECT_ERRORS, ConnectError } from './errors.ts';
import { ConnectRest } from './rest.ts';
import type { ConnectAddress } from './rest.ts';
import type { ConnectorConfig, ConnectorDefinition } from './templates.ts';
import { mendOf, traceHead } from './trace.ts';

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

const LOOK_MS = 250;
/** How long a failure that was there before may be an old one. */
const OLD_FAILURE_MS = 10_000;
/** Somebody wanted it so: it is not waited for. */
export const AT_REST: ReadonlySet<string> = new Set(['PAUSED', 'STOPPED']);

export class ConnectClient {
  readonly #rest: ConnectRest;

  /** `retries`: how often a call is repeated while Connect rebalances or cannot be reached; about 1 s apart. */
  constructor(address: ConnectAddress | string, retries = 20) {
    this.#rest = new ConnectRest(address, retries);
  }

  /** Names of all connectors. */
  async connectors(): Promise<readonly string[]> {
    return (await this.#rest.call<string[]>('GET', '/connectors')) ?? [];
  }

  /** What the plugin finds wrong with a configuration; it also tries the source's login. */
  async validate(definition: ConnectorDefinition): Promise<readonly ConfigProblem[]> {
    const plugin = definition.config['connector.class'] ?? '';
    const result = await this.#rest.call<RawValidation>(
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
    return this.#rest.call<ConnectorConfig>('GET', `${path(name)}/config`);
  }

  /** Validates, then writes the configuration only where it differs. Throws CON004 naming each faulty key. */
  async apply(definition: ConnectorDefinition): Promise<Applied> {
    requireValid(definition.name, await this.validate(definition));
    const wanted = { ...definition.config, name: definition.name };
    const stored = await this.config(definition.name);
    if (stored !== null && sameConfig(stored, wanted)) return 'unchanged';
    await this.#rest.call('PUT', `${path(definition.name)}/config`, wanted);
    return stored === null ? 'created' : 'updated';
  }

  /** Connector and tasks; null when there is no such connector. */
  async state(name: string): Promise<ConnectorState | null> {
    const raw = await this.#rest.call<{ connector: RawState; tasks: readonly (RawState & { id: number })[] }>(
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

  /**
   * Resolves once the connector and its task run; throws CON005 with the trace and its mend when one fails, when it
   * was stopped, or when time is up. A failure that `before` shows too counts only once it stays: after a restart or a
   * new configuration Connect goes on telling the old one for a moment.
   */
  async awaitRunning(
    name: string,
    timeoutMs: number,
    before: ConnectorState | null = null,
  ): Promise<ConnectorState> {
    const begun = Date.now();
    const known = new Set(failuresOf(before).map(failureText));
    for (;;) {
      const state = await this.state(name);
      if (state !== null && isRunning(state)) return state;
      const passed = Date.now() - begun;
      const failures = failuresOf(state).filter(
        (part) => passed > OLD_FAILURE_MS || !known.has(failureText(part)),
      );
      if (failures.length > 0)
        throw notRunning(
          name,
          'failed',
          failures.flatMap(({ trace }) => trace),
        );
      if (state !== null && AT_REST.has(state.state) && passed > OLD_FAILURE_MS) {
        throw notRunning(name, `is ${state.state}`, ['`anchorline connectors restart` lets it go on']);
      }
      if (passed >= timeoutMs) {
        const found = state === null ? 'there is no such connector' : state.state;
        throw notRunning(name, `does not run after ${timeoutMs / 1000} s`, [found]);
      }
      await sleep(LOOK_MS);
    }
  }

  /** Starts what failed again and leaves alone what runs. */
  async restartFailed(name: string): Promise<void> {
    await this.#rest.call('POST', `${path(name)}/restart?includeTasks=true&onlyFailed=true`);
  }

  /** Starts connector and tasks anew; their state is RESTARTING from here on until they run. */
  async restart(name: string): Promise<void> {
    await this.#rest.call('POST', `${path(name)}/restart?includeTasks=true`);
  }

  /** Starts one task anew; throws CON014 where there is none of that number. */
  async restartTask(name: string, task: number): Promise<void> {
    const known = (await this.state(name))?.tasks.map(({ id }) => id) ?? [];
    if (!known.includes(task)) {
      const tasks = known.length === 0 ? 'no task' : `task ${known.join(', ')}`;
      throw new ConnectError(
        CONNECT_ERRORS.notDeployed,
        `connector ${name} has no task ${task}: it has ${tasks}`,
      );
    }
    await this.#rest.call('POST', `${path(name)}/tasks/${task}/restart`);
  }

  /** Lets a paused or stopped connector go on; one that runs is left alone. */
  async resume(name: string): Promise<void> {
    await this.#rest.call('PUT', `${path(name)}/resume`);
  }

  /** Ends the tasks in order, so that they give back the slot and write their last offsets; the connector stays. */
  async stop(name: string, timeoutMs: number): Promise<void> {
    await this.#rest.call('PUT', `${path(name)}/stop`);
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const state = await this.state(name);
      if (state === null || (state.state === 'STOPPED' && state.tasks.length === 0)) return;
      if (Date.now() >= deadline) throw notRunning(name, 'does not stop', [state.state]);
      await sleep(LOOK_MS);
    }
  }

  /** Where the connector goes on, by its own terms; null while it has not said. */
  async offset(name: string): Promise<Readonly<Record<string, unknown>> | null> {
    const found = await this.#rest.call<{ offsets: readonly { offset: Record<string, unknown> | null }[] }>(
      'GET',
      `${path(name)}/offsets`,
    );
    return found?.offsets[0]?.offset ?? null;
  }

  /** Writes a configuration without asking the plugin about it. */
  async configure(name: string, config: ConnectorConfig): Promise<void> {
    await this.#rest.call('PUT', `${path(name)}/config`, { ...config, name });
  }

  /** Whether the connector has committed offsets: without, it begins with a snapshot. */
  async hasOffsets(name: string): Promise<boolean> {
    return (await this.offset(name)) !== null;
  }

  /** Forgets how far a stopped connector has read. */
  async forgetOffsets(name: string): Promise<void> {
    await this.#rest.call('DELETE', `${path(name)}/offsets`);
  }

  /** Removes the connector; its slot, its offsets and its topics stay. */
  async remove(name: string): Promise<void> {
    await this.#rest.call('DELETE', path(name));
  }
}

export function isRunning(state: ConnectorState): boolean {
  return (
    state.state === 'RUNNING' &&
    state.tasks.length > 0 &&
    state.tasks.every((task) => task.state === 'RUNNING')
  );
}

/** The state of a connector that must be there; throws CON014 with the names of those that are. */
export async function requireState(client: ConnectClient, name: string): Promise<ConnectorState> {
  const state = await client.state(name);
  if (state !== null) return state;
  const others = await client.connectors();
  const known = others.length === 0 ? 'none at all' : others.join(', ');
  throw new ConnectError(
    CONNECT_ERRORS.notDeployed,
    `there is no connector ${name} (Connect knows ${known}): \`anchorline connectors apply\` deploys it; check connect.connector`,
  );
}

/** Throws CON004, naming each key that Connect refuses. */
export function requireValid(name: string, problems: readonly ConfigProblem[]): void {
  if (problems.length === 0) return;
  const lines = problems.map(({ key, errors }) => `${key}: ${errors.join('; ')}`);
  throw new ConnectError(
    CONNECT_ERRORS.invalidConfig,
    `Connect refuses the connector ${name}; mend what is named here:\n  ${lines.join('\n  ')}`,
  );
}

/** The connector or the tasks that have failed. */
export function failuresOf(state: ConnectorState | null): readonly (ConnectorState | TaskStatus)[] {
  return state === null ? [] : [state, ...state.tasks].filter((part) => part.state === 'FAILED');
}

function failureText(part: ConnectorState | TaskStatus): string {
  return [part.workerId, ...part.trace].join('\n');
}

function notRunning(name: string, what: string, details: readonly string[]): ConnectError {
  const mend = mendOf(details);
  const lines = mend === null ? details : [...details, `mend: ${mend}`];
  return new ConnectError(CONNECT_ERRORS.failed, `connector ${name} ${what}:\n  ${lines.join('\n  ')}`);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function path(name: string): string {
  return `/connectors/${encodeURIComponent(name)}`;
}

function sameConfig(a: ConnectorConfig, b: ConnectorConfig): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => a[key] === b[key]);
}
