/** How often each fault struck and each branch of the protocol was taken: what never happened was never tried. */

export const FAULTS = [
  'process: killed',
  'process: killed about to commit',
  'process: killed after its commit',
  'process: stood still',
  'process: stood still about to commit',
  'store: call lost',
  'store: answer lost',
  'store: commit lost',
  'store: answer to a commit lost',
  'store: commit applied after the client gave up',
  'store: transaction of a lost client lingers',
  'store: slow',
  'store: away for all',
  'log: records repeated',
  'log: batch cut short',
  'log: records late',
  'log: partitions out of order',
  'log: compacted',
  'registry: away',
  'registry: slow',
  'requests: not sent',
  'requests: answer lost',
  'requests: lost on the way',
  'requests: repeated',
  'requests: out of order',
  'requests: late',
  'broker: away for all',
  'dead letters: not sent',
  'dead letters: answer lost',
  'topic: does not open',
  'topic: send lost',
  'topic: commit lost',
  'topic: answer to a commit lost',
  'topic: commit applied after the client gave up',
  'topic: does not close',
  'topic: slow',
  'clock of a process: forwards',
  'clock of a process: backwards',
  'clock of the store: forwards',
  'clock of the store: backwards',
  'two owners of a partition',
  'two leaders of a shard',
  'a fenced leader went on',
  'two schedulers',
  'connector: repeated itself',
  'connector: left a value out',
  'record: cannot be decoded',
  'record: cannot be mapped',
  'record: refused by the store',
  'recompute: failed by itself',
  'publish: row that does not fit',
] as const;

export const BRANCHES = [
  'ingest: nothing differed',
  'ingest: dirt',
  'ingest: no dirt',
  'ingest: records below the position skipped',
  'ingest: stale owner turned away',
  'ingest: set aside',
  'ingest: batch halved',
  'lock: waited for',
  'retry: ingested',
  'retry: superseded',
  'retry: refused',
  'recompute: dirt was taken already',
  'recompute: nothing differed',
  'recompute: inserted',
  'recompute: updated',
  'recompute: deleted',
  'recompute: destinations dirtied',
  'recompute: anomalies',
  'recompute: batch split',
  'recompute: parked',
  'recompute: held back by a snapshot',
  'publish: led',
  'publish: stood by',
  'publish: stepped down',
  'publish: fenced',
  'publish: failed',
  'publish: repeated',
  'publish: tombstone',
  'publish: set aside',
  'sweep: found dirt',
  'horizon: moved',
  'horizon: there already',
  'upstream: transaction of several rows',
] as const;

export type Covered = (typeof FAULTS)[number] | (typeof BRANCHES)[number];
export type Counts = Readonly<Record<string, number>>;

export class Coverage {
  readonly #counts: Record<string, number> = Object.fromEntries(
    [...FAULTS, ...BRANCHES].map((name) => [name, 0]),
  );

  hit(name: Covered, times = 1): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + times;
  }

  get counts(): Counts {
    return this.#counts;
  }

  add(counts: Counts): void {
    for (const [name, count] of Object.entries(counts))
      this.#counts[name] = (this.#counts[name] ?? 0) + count;
  }

  /** Whatever never happened. */
  missing(): string[] {
    return Object.entries(this.#counts).flatMap(([name, count]) => (count === 0 ? [name] : []));
  }
}
