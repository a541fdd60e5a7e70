/** Resident memory of processes over time, as the system shows it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface MemoryOfProcess {
  readonly name: string;
  /** MB, one a look. */
  readonly mb: readonly number[];
}

const KB_PER_MB = 1_024;

export class MemoryWatch implements Disposable {
  readonly #pids: ReadonlyMap<string, number>;
  readonly #seen = new Map<string, number[]>();
  readonly #timer: NodeJS.Timeout;

  constructor(pids: ReadonlyMap<string, number>, everyMs: number) {
    this.#pids = pids;
    this.#timer = setInterval(() => void this.#look(), everyMs);
  }

  get processes(): readonly MemoryOfProcess[] {
    return [...this.#seen].map(([name, mb]) => ({ name, mb }));
  }

  async #look(): Promise<void> {
    const args = ['-o', 'pid=,rss=', '-p', [...this.#pids.values()].join(',')];
    const { stdout } = await promisify(execFile)('ps', args).catch(() => ({ stdout: '' }));
    const rss = new Map(stdout.trim().split('\n').map((line) => line.trim().split(/\s+/).map(Number) as [number, number])); // prettier-ignore
    for (const [name, pid] of this.#pids) {
      const kb = rss.get(pid);
      if (kb === undefined) continue;
      const seen = this.#seen.get(name) ?? [];
      this.#seen.set(name, [...seen, kb / KB_PER_MB]);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
