/** A trace told so that people can follow it: who did what, up to which call, and what befell them. */
import type { Fault } from './sim-faults.ts';
import type { Emitted } from './sim-farm.ts';
import { BrokenLaw, replay } from './sim-run.ts';
import type { Actor } from './sim-scheduler.ts';
import type { Mark, TraceEntry } from './sim-trace.ts';
import type { Witness, WorldOptions } from './sim-world.ts';

const SAID: Readonly<Record<Fault, string>> = {
  kill: '† killed',
  outage: '✗ call fails',
  doubt: '✗ call fails, the commit is applied later',
  linger: '✗ call fails, its locks are held on',
  clock: '⏰ a clock jumps',
};

const MARKS: Readonly<Record<Mark['mark'], string>> = {
  begin: '── the farm is at work',
  heal: '── no more faults',
  check: '── everybody has a turn until all is quiet, then everything is looked at',
};

/** Plays it and tells it, one line per turn of a process. */
export async function tell(options: WorldOptions, trace: readonly TraceEntry[]): Promise<string[]> {
  const teller = new Teller();
  try {
    await replay(options, trace, teller);
  } catch (error) {
    if (!(error instanceof BrokenLaw)) throw error;
    return [...teller.lines(), `⚡ ${error.reason}`];
  }
  return [...teller.lines(), 'nothing is wrong'];
}

class Teller implements Witness {
  readonly #lines: string[] = [];
  #name = '';
  #calls: string[] = [];
  #started = false;

  step(actor: Actor, label: string, fault: Fault | null): void {
    this.#started = true;
    if (actor.name !== this.#name) this.#endTurn();
    this.#name = actor.name;
    // A call is told once it is made; what became of it shows in what follows.
    if (fault !== null) this.#calls.push(`${label} ${SAID[fault]}`);
    else if (!label.endsWith(':after') && label !== 'work' && label !== 'sleep') {
      this.#calls.push(label.replace(':before', ''));
    }
  }

  mark(mark: Mark['mark']): void {
    this.#endTurn();
    this.#name = '';
    this.#lines.push(MARKS[mark]);
  }

  record({ record, decoded, poison, transaction }: Emitted): void {
    if (!this.#started) return;
    this.#endTurn();
    const after = decoded.kind === 'change' ? JSON.stringify(decoded.after) : '';
    const said = after === 'null' ? 'deleted' : after;
    const bad = poison === null ? '' : ` (${poison})`;
    const at = `${record.topic}/${record.partition}@${record.offset}`;
    this.#lines.push(`  transaction ${transaction} writes ${at} ${String(record.key)} ${said}${bad}`);
  }

  lines(): string[] {
    this.#endTurn();
    return this.#lines;
  }

  #endTurn(): void {
    const calls = this.#calls.splice(0);
    if (calls.length > 0) this.#lines.push(`${this.#name}: ${calls.join(' → ')}`);
  }
}
