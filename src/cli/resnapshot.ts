/** What a resnapshot needs, for the length of one command; and waiting for one. */
import { randomUUID } from 'node:crypto';
import type { Requesting } from '../compose/resnapshot-request.ts';
import type { Resnapshot } from '../domain/resnapshot.ts';
import { EXIT } from '../runtime/exit-codes.ts';
import type { CommandContext } from './context.ts';
import { withStore } from './store.ts';

const LOOK_MS = 1_000;

export async function withResnapshots<T>(
  context: CommandContext,
  work: (parts: Requesting) => Promise<T>,
): Promise<T> {
  return withStore(context, async (opened) => {
    const [{ createResnapshotTools }, { kafkaConnectionOf }, { systemClock: clock }] = await Promise.all([
      import('../compose/resnapshot.ts'),
      import('../wiring.ts'),
      import('../runtime/system-clock.ts'),
    ]);
    const kafka = kafkaConnectionOf(opened.config);
    const processId = `resnapshot-${process.pid}-${randomUUID()}`;
    // What goes on is told as progress; the log is for what goes wrong.
    const log = opened.log.child({});
    if (log.level === 'info') log.level = 'warn';
    const tools = createResnapshotTools({ ...opened, log, kafka, clock, processId });
    try {
      return await work({ ...opened, clock, tools, progress: context.progress });
    } finally {
      await tools.close();
    }
  });
}

/** Drives the run where nobody else does and tells what goes on, until its end, an operator's turn, or Ctrl-C. */
export async function followRun(context: CommandContext, parts: Requesting, run: Resnapshot): Promise<void> {
  const { driveResnapshot } = await import('../resnapshot/drive.ts');
  const { renderChanges, renderRun } = await import('../resnapshot/report.ts');
  const { tools, store, clock } = parts;
  const stop = new AbortController();
  const onSignal = (): void => stop.abort(new Error('nobody waits any more'));
  process.once('SIGINT', onSignal);
  let told = run;
  const tell = async (): Promise<Resnapshot | null> => {
    const now = await store.resnapshots.latest();
    if (now === null || now.id !== run.id) return null;
    for (const line of renderChanges(told, now)) context.progress(line);
    told = now;
    return now;
  };
  const telling = tellUntil(clock, tell, stop.signal);
  try {
    while (!stop.signal.aborted) {
      const end = await driveResnapshot(tools.deps, stop.signal);
      if (end === 'ended' || end === 'rests') break;
      await clock.sleep(LOOK_MS, stop.signal).catch(() => undefined);
    }
  } finally {
    process.off('SIGINT', onSignal);
  }
  const interrupted = stop.signal.aborted;
  stop.abort(new Error('it has come to rest'));
  await telling;
  const last = await tell();
  if (interrupted) {
    context.progress(
      'it goes on wherever a scheduler runs: `anchorline resnapshot status`, or `… start` to follow again',
    );
    return context.exitWith(EXIT.forced);
  }
  if (last === null) return;
  for (const line of renderRun(last, clock.nowMs())) context.print(line);
  if (last.outcome !== 'done') context.exitWith(EXIT.failure);
}

async function tellUntil(
  clock: Requesting['clock'],
  tell: () => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    // The store being away for a moment is what driving tells of.
    await tell().catch(() => undefined);
    await clock.sleep(LOOK_MS, signal).catch(() => undefined);
  }
}
