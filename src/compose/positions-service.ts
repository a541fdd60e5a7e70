/**
 * Looks whether ingest's positions can be trusted: each within its log, and none behind for longer than its topic
 * keeps deletes. What is wrong makes the process not ready, and says which command mends it.
 */
import type { PartitionId } from '../domain/ports.ts';
import { changeTopics, tableOfTopic } from '../domain/topics.ts';
import { createKafka } from '../kafka/client.ts';
import { WatermarkSource } from '../kafka/watermarks.ts';
import { UNSAFE_REASONS, judgePositions, unsafeText } from '../resnapshot/positions.ts';
import { describeError } from '../runtime/describe-error.ts';
import type { Service } from '../runtime/lifecycle.ts';
import type { App } from './app.ts';

const LOOK_MS = 15_000;
/** While something is wrong: whoever mends it wants to see that it is. */
const LOOK_AGAIN_MS = 3_000;
/** What is wrong is told again that often, in case the line was lost among others. */
const TELL_MS = 30 * 60_000;

export function createPositionsService(app: App): Service {
  const { clock, log } = app;
  const look = new PositionsLook(app);
  return {
    id: 'positions',
    run: async (signal) => {
      let told = { text: '', atMs: Number.NEGATIVE_INFINITY };
      while (!signal.aborted) {
        let waitMs = LOOK_MS;
        try {
          const text = await look.take();
          const isNews = text !== told.text || clock.nowMs() - told.atMs >= TELL_MS;
          if (text !== '' && isNews) log.error({ role: 'ingest' }, text);
          if (isNews) told = { text, atMs: clock.nowMs() };
          if (text !== '') waitMs = LOOK_AGAIN_MS;
        } catch (error) {
          log.warn({ err: error }, `positions are not looked at: ${describeError(error)}`);
        }
        await clock.sleep(waitMs, signal).catch(() => undefined);
      }
    },
    stop: () => look.close(),
  };
}

class PositionsLook {
  readonly #app: App;
  readonly #logs: WatermarkSource;
  #partitions: readonly PartitionId[] | null = null;

  constructor(app: App) {
    this.#app = app;
    this.#logs = new WatermarkSource(() => createKafka(app.kafka, app.log).admin());
  }

  /** What is wrong in words; empty where all is well. */
  async take(): Promise<string> {
    const { store, metrics, health, config } = this.#app;
    const { prefix } = config.topics;
    const topics = changeTopics(prefix);
    this.#partitions ??= await this.#logs.bounds(topics);
    // Positions before ends, or one that moves meanwhile would seem to be beyond; ends before they are noted, or one
    // that was never read to its end would seem to have been.
    const read = await store.positions(this.#partitions);
    const positions = this.#partitions.map(({ topic, partition }, i) => ({
      topic,
      partition,
      next: read[i] ?? 0n,
    }));
    const [bounds, kept] = await Promise.all([this.#logs.bounds(topics), this.#logs.deletesKept(topics)]);
    this.#partitions = bounds;
    const outside = judgePositions(bounds, positions, []);
    const ends = bounds.map(({ topic, partition, end }) => ({
      topic,
      partition,
      end,
      keepMs: kept.get(topic) ?? null,
      isOther: outside.some(
        (at) => at.reason === 'beyond' && at.topic === topic && at.partition === partition,
      ),
    }));
    const unsafe = judgePositions(bounds, positions, await store.noteEnds(ends));
    for (const reason of UNSAFE_REASONS) {
      const count = unsafe.filter((position) => position.reason === reason).length;
      metrics.positionsUnsafe.set({ reason }, count);
    }
    const text = unsafeText(unsafe, (topic) => tableOfTopic(prefix, topic));
    health.set('ingest', text === '' ? null : text, 'positions');
    return text;
  }

  close(): Promise<void> {
    return this.#logs.close();
  }
}
