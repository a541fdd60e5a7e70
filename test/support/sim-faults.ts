/** Which faults can strike at which call, and under what name they are counted. */
import type { Covered } from './sim-coverage.ts';

/**
 * What a step may do to the one who makes it:
 * - kill: no more steps; its connection lasts a little longer;
 * - outage: the call fails, before its effect or after it;
 * - doubt: a commit fails for its client and is applied later all the same;
 * - linger: the client is told of an outage, its transaction keeps its locks for a while;
 * - clock: its own clock, or the store's, jumps.
 */
export type Fault = 'kill' | 'outage' | 'doubt' | 'linger' | 'clock';

/** Probabilities per step. */
export interface FaultRates {
  readonly kill: number;
  readonly outage: number;
  readonly doubt: number;
  readonly linger: number;
  readonly clock: number;
  /** Stands still for so many steps, while the others go on. */
  readonly freeze: number;
  /** Stands still with everything done but the commit, or about to lock or to fence, often until nobody else has anything to do. */
  readonly hold: number;
  /** The call takes long. */
  readonly late: number;
  /** The store, or the broker, is away for everybody for a while. */
  readonly away: number;
}

export const CALM: FaultRates = {
  kill: 0,
  outage: 0,
  doubt: 0,
  linger: 0,
  clock: 0,
  freeze: 0,
  hold: 0,
  late: 0,
  away: 0,
};

export type Port = 'none' | 'store' | 'topic' | 'requests' | 'deadLetters' | 'registry';

export interface Call {
  readonly port: Port;
  readonly phase: 'before' | 'after';
  readonly isCommit: boolean;
  /** A bad moment to stand still: about to commit, to wait for others, to look at facts, or to fence. */
  readonly isBrink: boolean;
  /** Within a transaction of the store. */
  readonly inTransaction: boolean;
}

const known = new Map<string, Call>();

/** A gate's label, as `recompute.commit:before`, read. */
export function callOf(label: string): Call {
  let call = known.get(label);
  if (call === undefined) {
    call = parse(label);
    known.set(label, call);
  }
  return call;
}

const BRINKS: readonly string[] = ['commit', 'lock', 'lockFacts', 'load', 'open'];

function parse(label: string): Call {
  const [name = '', phase] = label.split(':');
  const [first = '', second] = name.split('.');
  const port = portOf(first);
  return {
    port,
    phase: phase === 'after' ? 'after' : 'before',
    isCommit: second === 'commit',
    isBrink: phase === 'before' && BRINKS.includes(second ?? ''),
    inTransaction: port === 'store' && second !== undefined && second !== 'begin' && second !== 'commit',
  };
}

function portOf(name: string): Port {
  if (name === 'poll' || name === 'work' || name === 'sleep') return 'none';
  if (name === 'topic' || name === 'requests' || name === 'deadLetters' || name === 'registry') return name;
  return 'store';
}

export function canStrike(fault: Fault, { port, phase, isCommit, inTransaction }: Call): boolean {
  switch (fault) {
    case 'kill':
    case 'clock':
      return true;
    case 'outage':
      return port !== 'none';
    case 'doubt':
      return isCommit && phase === 'before';
    case 'linger':
      return inTransaction;
  }
}

export function nameOfOutage(label: string): Covered {
  const { port, phase, isCommit } = callOf(label);
  const before = phase === 'before';
  switch (port) {
    case 'requests':
      return before ? 'requests: not sent' : 'requests: answer lost';
    case 'deadLetters':
      return before ? 'dead letters: not sent' : 'dead letters: answer lost';
    case 'registry':
      return 'registry: away';
    case 'topic':
      if (isCommit) return before ? 'topic: commit lost' : 'topic: answer to a commit lost';
      if (label.startsWith('topic.open')) return 'topic: does not open';
      return label === 'topic.close' ? 'topic: does not close' : 'topic: send lost';
    default:
      if (isCommit) return before ? 'store: commit lost' : 'store: answer to a commit lost';
      return before ? 'store: call lost' : 'store: answer lost';
  }
}

export function nameOfDelay(port: Port): Covered {
  switch (port) {
    case 'registry':
      return 'registry: slow';
    case 'topic':
      return 'topic: slow';
    case 'requests':
    case 'deadLetters':
      return 'requests: late';
    default:
      return 'store: slow';
  }
}
