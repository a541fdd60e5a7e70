/** What is under way and since when: a handler or a transaction that hangs is seen by its age alone. */
export interface InHand {
  readonly what: string;
  readonly sinceMs: number;
}

export class WorkInHand {
  readonly #now: () => number;
  readonly #byRole = new Map<string, Set<InHand>>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The work's own outcome. */
  async during<T>(role: string, what: string, work: () => Promise<T>): Promise<T> {
    const all = this.#byRole.get(role) ?? new Set<InHand>();
    this.#byRole.set(role, all);
    const one = { what, sinceMs: this.#now() };
    all.add(one);
    try {
      return await work();
    } finally {
      all.delete(one);
    }
  }

  /** What a role has been at for longest; null: it is at nothing. */
  oldest(role: string): (InHand & { readonly ageMs: number }) | null {
    // A set keeps the order of adding.
    const [first] = this.#byRole.get(role) ?? [];
    return first === undefined ? null : { ...first, ageMs: this.#now() - first.sinceMs };
  }
}
