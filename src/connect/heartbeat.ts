/** How long ago the connector last wrote a heartbeat: the one sign of life that a quiet farm gives. */
import type { Admin } from 'kafkajs';

/** Below this nobody wants to know it better. */
const GRAIN_MS = 1_000;
/** A topic keeps a week of heartbeats; nothing older is found. */
const OLDEST_MS = 8 * 86_400_000;

/**
 * Age of the topic's last record to the second, null where it holds none. By offsets at times alone: no record is read
 * and no consumer group is joined, which a broker would hold up for seconds.
 */
export async function lastRecordAge(admin: Admin, topic: string, nowMs: number): Promise<number | null> {
  const [ends] = await admin.fetchTopicOffsets(topic);
  if (ends === undefined || ends.low === ends.high) return null;
  const writtenSince = async (ageMs: number): Promise<boolean> => {
    const [at] = await admin.fetchTopicOffsetsByTimestamp(topic, nowMs - ageMs);
    return at !== undefined && BigInt(at.offset) < BigInt(ends.high);
  };
  return findAge(writtenSince);
}

/** The least age, to the grain, for which something was written since; null: beyond the oldest that is looked for. */
export async function findAge(writtenSince: (ageMs: number) => Promise<boolean>): Promise<number | null> {
  let [younger, older] = [0, GRAIN_MS];
  while (!(await writtenSince(older))) {
    if (older > OLDEST_MS) return null;
    [younger, older] = [older, older * 2];
  }
  while (older - younger > GRAIN_MS) {
    const middle = Math.round((younger + older) / 2);
    if (await writtenSince(middle)) older = middle;
    else younger = middle;
  }
  return younger;
}
