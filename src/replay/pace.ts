/** How fast something goes, and how long it still takes, by what the last while has shown. */
const WINDOW_MS = 15_000;

export interface Pace {
  readonly perSecond: number;
  /** null: nothing has moved yet. */
  readonly leftMs: number | null;
}

export class PaceMeter {
  readonly #seen: { readonly atMs: number; readonly done: number }[] = [];

  note(atMs: number, done: number, total: number): Pace {
    this.#seen.push({ atMs, done });
    while (this.#seen.length > 2 && atMs - (this.#seen[0]?.atMs ?? atMs) > WINDOW_MS) this.#seen.shift();
    const first = this.#seen[0] ?? { atMs, done };
    const perMs = atMs === first.atMs ? 0 : (done - first.done) / (atMs - first.atMs);
    return { perSecond: perMs * 1_000, leftMs: perMs <= 0 ? null : Math.max(0, total - done) / perMs };
  }
}

/** `1 h 04 min`, `3 min 20 s`, `12 s`. */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
