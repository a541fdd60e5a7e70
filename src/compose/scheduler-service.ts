/** The scheduler role: one leader moves the horizon at night, at its start if a night was missed, retires and tidies. */
import { Cron } from 'croner';
import { DateTime } from 'luxon';
import { dayToIso, isoToDay } from '../domain/day.ts';
import type { Day } from '../domain/day.ts';
import { describeError } from '../runtime/describe-error.ts';
import { interruptible } from '../runtime/interruptible.ts';
import type { Service } from '../runtime/lifecycle.ts';
import { advanceHorizon } from '../scheduler/step.ts';
import type { App } from './app.ts';
import { createRequests } from './ingest-service.ts';

const LEASE = 'scheduler';
const LEASE_MS = 30_000;
const LOOK_MS = 10_000;
/** Assignments retired in a night: the rest follows in the next, and no transaction grows without bound. */
const RETIRE_LIMIT = 1_000;
/** As long as the dead-letter topic keeps them. */
const CLOSED_LETTER_DAYS = 30;
const PRUNE_LIMIT = 10_000;

export function createSchedulerService(app: App): Service {
  const requests = createRequests(app);
  return {
    id: 'scheduler',
    run: async (signal) => {
      const cron = new Cron(app.config.scheduler.cron, {
        timezone: app.config.engine.timeZone,
        paused: true,
      });
      let next = app.clock.nowMs();
      while (!signal.aborted) {
        try {
          const leads = await interruptible(app.store.acquireLease(LEASE, app.processId, LEASE_MS), signal);
          if (leads && app.clock.nowMs() >= next) {
            // It may wait for every ingest that is under way. What is cut off is rolled back, and done by the next leader.
            await interruptible(nightly(app, requests, signal), signal);
            next = cron.nextRun(new Date(app.clock.nowMs()))?.getTime() ?? Number.POSITIVE_INFINITY;
          }
          app.health.set('scheduler', null, 'work');
        } catch (error) {
          if (signal.aborted) return;
          if (app.health.set('scheduler', `the scheduler failed: ${describeError(error)}`, 'work')) {
            app.log.warn({ err: error }, 'the scheduler failed: it tries again');
          }
        }
        await app.clock.sleep(LOOK_MS, signal).catch(() => undefined);
      }
    },
    stop: async () => {
      await app.store.releaseLease(LEASE, app.processId);
      await requests.close();
    },
  };
}

async function nightly(
  app: App,
  requests: ReturnType<typeof createRequests>,
  signal: AbortSignal,
): Promise<void> {
  const { config, clock, store, log } = app;
  const today = horizonOf(app);
  const move = await advanceHorizon({ store, requests, clock }, today, config.scheduler.recentDays);
  if (move !== null) {
    const from = move.from === null ? 'nothing' : dayToIso(move.from);
    log.info({ assignments: move.dirtied.length }, `the horizon moved from ${from} to ${dayToIso(move.to)}`);
  }
  const pruned = await store.pruneLetters(CLOSED_LETTER_DAYS, PRUNE_LIMIT);
  if (pruned > 0) log.info({ letters: pruned }, 'dead letters that had closed long ago were removed');
  const { years } = config.retention;
  if (years === null || signal.aborted) return;
  const cutoff = isoToDay(isoOf(DateTime.fromISO(dayToIso(today), { zone: 'utc' }).minus({ years })));
  const retired = await store.retire(cutoff, RETIRE_LIMIT);
  if (retired.length > 0) log.info({ assignments: retired.length }, 'retention removed assignments');
}

/** Today at the site, or the day that the settings hold the horizon at. */
export function horizonOf({ config, clock }: Pick<App, 'config' | 'clock'>): Day {
  const { horizon } = config.scheduler;
  if (horizon !== 'today') return isoToDay(horizon);
  return isoToDay(isoOf(DateTime.fromMillis(clock.nowMs(), { zone: config.engine.timeZone })));
}

function isoOf(date: DateTime): string {
  const iso = date.toISODate();
  if (iso === null) throw new RangeError(`not a date: ${date.invalidReason ?? 'unknown'}`);
  return iso;
}
