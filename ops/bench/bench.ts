/** What a benchmark hands over: figures, each beside the limit that it is held against where there is one. */

export interface Figure {
  readonly what: string;
  readonly value: number;
  /** `rows/s`, `ms`, `µs` … */
  readonly unit: string;
  /** The same work's limit, measured in the same run: value ÷ limit. */
  readonly ratio?: { readonly of: string; readonly value: number };
  /** What it ought to be, in the words of the one who reads: `≥ 0.5 × COPY`. */
  readonly aim?: { readonly text: string; readonly met: boolean };
  readonly note?: string;
}

export interface BenchOptions {
  /** Share of the full size; 1 is what RESULTS.md shows. */
  readonly scale: number;
  /** Progress, never figures. */
  readonly say: (line: string) => void;
}

export interface Bench {
  /** As in `npm run bench -- --only NAME`. */
  readonly name: string;
  /** One sentence: what is measured, beside what. */
  readonly about: string;
  run(options: BenchOptions): Promise<readonly Figure[]>;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}

/** Seconds of processor time that the process has taken: what is computed alone is measured whatever else runs. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
}

/** An aim of at least so many times the limit. */
export function atLeast(
  least: number,
  ratio: { readonly of: string; readonly value: number },
): Pick<Figure, 'ratio' | 'aim'> {
  return { ratio, aim: { text: `≥ ${least} × ${ratio.of}`, met: ratio.value >= least } };
}
