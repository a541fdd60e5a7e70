/** `anchorline run` as a child process: started, watched by its log, stopped, paused, killed. */
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Role } from '../../src/compose/run.ts';
import { PROJECT_DIR } from './stack-provider.ts';
import { eventually } from './pipeline-wait.ts';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

const START_MS = 60_000;
const NOTABLE = new Set(['warn', 'error', 'fatal']);

export class PipelineProcess {
  readonly roles: readonly Role[];
  readonly #child: ChildProcessByStdio<null, null, Readable>;
  readonly #raw: string[] = [];
  readonly #lines: LogLine[] = [];
  readonly #exit: Promise<Exit>;
  #ended: Exit | null = null;

  /** `env` is all that the child knows of settings; nothing of the test's own is handed on. */
  constructor(roles: readonly Role[], env: Readonly<Record<string, string>>) {
    this.roles = roles;
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('ANCHORLINE_'));
    this.#child = spawn(join(PROJECT_DIR, 'bin', 'anchorline'), ['run', '--roles', roles.join(',')], {
      env: { ...Object.fromEntries(inherited), ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    createInterface(this.#child.stderr).on('line', (line) => {
      this.#raw.push(line);
      this.#lines.push(parsed(line));
    });
    this.#exit = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => {
        this.#ended = { code, signal };
        resolve(this.#ended);
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get running(): boolean {
    return this.#ended === null;
  }

  /** Messages of the log so far. */
  get messages(): readonly string[] {
    return this.#lines.map(({ msg }) => msg);
  }

  /** All that it has said, as it said it. */
  get text(): string {
    return this.#raw.join('\n');
  }

  /** Whether a consumer of this process owned partitions when its group was last dealt out. */
  owns(consumer: 'ingest' | 'recompute'): boolean {
    const dealt = this.#lines.findLast((line) => line['consumer'] === consumer && /^owns \d/.test(line.msg));
    return dealt !== undefined && dealt['partitions'] !== 0;
  }

  /** What went wrong according to the log, the last lines of it. */
  get complaints(): readonly string[] {
    const notable = this.#lines.filter(({ level }) => NOTABLE.has(level));
    return notable.slice(-20).map((line) => JSON.stringify(line).slice(0, 600));
  }

  /** Resolves with the roles running; throws what the log says where the process ended instead. */
  async started(): Promise<this> {
    await this.logged(/^running /, START_MS);
    return this;
  }

  /** Resolves once a message of the log fits, earlier ones included. */
  async logged(message: RegExp, limitMs: number): Promise<void> {
    await eventually(`process ${this.pid} logs ${message}`, limitMs, () => {
      if (this.messages.some((text) => message.test(text))) return true;
      if (this.#ended === null) return false;
      throw new Error(`it ended with ${JSON.stringify(this.#ended)}:\n${this.messages.join('\n')}`);
    });
  }

  /** An orderly end. */
  stop(): Promise<Exit> {
    return this.#send('SIGTERM');
  }

  /** What a crash, or the kernel short of memory, does. */
  kill(): Promise<Exit> {
    return this.#send('SIGKILL');
  }

  /** The process stands still in the middle of whatever it does, connections and leases held. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  exited(): Promise<Exit> {
    return this.#exit;
  }

  #send(signal: NodeJS.Signals): Promise<Exit> {
    if (this.#ended === null) this.#child.kill(signal);
    return this.#exit;
  }
}

function parsed(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { level: 'error', msg: line };
  }
}
