/** What either database's server says of itself, with its clock and how long it takes to let somebody in. */
import type { Clock } from '../../domain/ports.ts';
import type { ClockLook } from '../judge/clock-look.ts';
import { clockOf } from './clock-of.ts';
import { rowOf } from './postgres.ts';
import type { Reader } from './postgres.ts';

interface Answered {
  readonly clock: ClockLook;
  readonly tookMs: number;
}

/** What a statement tells of it: all but that, and the server's time. */
export type Told<Server extends Answered> = Omit<Server, keyof Answered> & { readonly nowMs: number };

/** The statement's only row. */
export async function serverOf<Row extends { readonly nowMs: number }>(
  reader: Reader,
  clock: Clock,
  statement: string,
): Promise<Omit<Row, 'nowMs'> & Answered> {
  const began = clock.nowMs();
  await rowOf(reader, 'SELECT 1 AS connected');
  const tookMs = clock.nowMs() - began;
  const asked = await clockOf(
    clock,
    0,
    () => rowOf<Row>(reader, statement),
    ({ nowMs }) => nowMs,
  );
  const { nowMs: _, ...row } = asked.answer;
  return { ...row, tookMs, clock: asked.clock ?? { aheadMs: 0, uncertainMs: 0 } };
}
