/**
 * How fast a farm is rebuilt from its change topics, beside a loop that reads them with the same client and decodes key
 * and value of every record, and does nothing else. Both are timed from their start: joining a group, threads and all.
 */
import { dayToIso } from '../../src/domain/day.ts';
import { bulkReaderOf } from '../../src/compose/replay-reader.ts';
import type { ReplayTally } from '../../src/compose/replay-run.ts';
import { changeTopics } from '../../src/domain/topics.ts';
import { createAvroDecoder } from '../../src/kafka/avro.ts';
import type { TopicRange } from '../../src/kafka/bulk-reader.ts';
import { unpackRecords } from '../../src/kafka/bulk-reader.ts';
import { stackEndpoints } from '../../src/stack/config.ts';
import { registryOf } from '../../src/wiring-access.ts';
import { kafkaConnectionOf, topicSettingsOf } from '../../src/wiring.ts';
import { silent } from '../../test/support/kafka-lab.ts';
import { Pipeline } from '../../test/support/pipeline.ts';
import { runningStack } from './bench-stack.ts';
import type { Bench, BenchOptions, Figure } from './bench.ts';
import { atLeast, secondsOf } from './bench.ts';
import { FULL_FARM, lastDayOf, scaled } from './farm/scale.ts';
import { writeTopics } from './farm/topic-writer.ts';

const ROUNDS = 2;
const LEAST = 0.35;
const WHOLE_SECONDS = 120;

export const replayBench: Bench = {
  name: 'replay',
  about: 'A farm’s schema made anew from filled topics, beside a loop that only reads and decodes them.',
  run,
};

async function run({ scale, say }: BenchOptions): Promise<readonly Figure[]> {
  await using cleanUp = new AsyncDisposableStack();
  const stack = await runningStack(cleanUp, say);
  const size = scaled(FULL_FARM, scale);
  const farm = await Pipeline.open({
    endpoints: stackEndpoints(stack),
    name: 'bench',
    generation: 'newer',
    horizon: dayToIso(lastDayOf(size)),
    env: { ANCHORLINE_TOPICS_LARGE_PARTITIONS: '6' },
  });
  cleanUp.use(farm);
  await writeTopics({
    connection: kafkaConnectionOf(farm.config),
    registry: registryOf(farm.config),
    topics: topicSettingsOf(farm.config),
    scale: size,
    log: silent,
    startMs: Date.now(),
  });
  await farm.cli(['migrate']);
  const ranges = await rangesOf(farm);
  say(`${eventsIn(ranges)} events written`);
  const decoding: number[] = [];
  const replays: { readonly seconds: number; readonly tally: ReplayTally }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    decoding.push(await secondsOf(() => readAndDecode(farm, ranges)));
    replays.push(await replay(farm, `${farm.name}_r${round}`));
    say(`round ${round + 1} of ${ROUNDS}`);
  }
  return figures(eventsIn(ranges), Math.min(...decoding), replays, scale);
}

function figures(
  events: number,
  decoding: number,
  replays: readonly { readonly seconds: number; readonly tally: ReplayTally }[],
  scale: number,
): readonly Figure[] {
  const best = replays.reduce((a, b) => (b.seconds < a.seconds ? b : a));
  const { loading, merging, computing } = best.tally.tookMs;
  const facts = (loading + merging) / 1_000;
  const note = `best of ${ROUNDS}`;
  return [
    { what: 'reading and decoding alone', value: events / decoding, unit: 'events/s', note },
    {
      what: 'replay, topics to facts',
      value: events / facts,
      unit: 'events/s',
      ...atLeast(LEAST, { of: 'reading and decoding alone', value: decoding / facts }),
      note: `loaded in ${(loading / 1_000).toFixed(1)} s, merged in ${(merging / 1_000).toFixed(1)} s`,
    },
    {
      what: 'replay, computing',
      value: best.tally.rows / (computing / 1_000),
      unit: 'rows/s',
      note: `${best.tally.rows} rows`,
    },
    {
      what: 'replay, all of it',
      value: best.seconds,
      unit: 's',
      ...(scale === 1 ? { aim: { text: `< ${WHOLE_SECONDS} s`, met: best.seconds < WHOLE_SECONDS } } : {}),
      note: `${events} events, ${best.tally.rows} rows, the command's start included`,
    },
  ];
}

async function rangesOf(farm: Pipeline): Promise<TopicRange[]> {
  const ranges: TopicRange[] = [];
  for (const topic of changeTopics(farm.config.topics.prefix)) {
    for (const { partition, low, high } of await farm.lab.admin.fetchTopicOffsets(topic))
      ranges.push({ topic, partition, from: BigInt(low), to: BigInt(high) });
  }
  return ranges;
}

function eventsIn(ranges: readonly TopicRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + Number(to - from), 0);
}

/** On one thread, as the client gives them. */
async function readAndDecode(farm: Pipeline, ranges: readonly TopicRange[]): Promise<void> {
  const decoder = createAvroDecoder(farm.config.registry.url);
  await bulkReaderOf(farm.config, silent).read(
    ranges,
    async (chunk) => {
      for (const { key, value } of unpackRecords(chunk)) {
        for (const bytes of [key, value]) {
          const result = bytes === null ? null : decoder.decode(bytes);
          if (result instanceof Promise) await result;
        }
      }
    },
    new AbortController().signal,
  );
}

async function replay(farm: Pipeline, name: string): Promise<{ seconds: number; tally: ReplayTally }> {
  let stdout = '';
  const seconds = await secondsOf(async () => {
    const ended = await farm.cli(['replay', '--as', name, '--json']);
    if (ended.status !== 0) throw new Error(ended.stderr);
    stdout = ended.stdout;
  });
  await farm.cli(['replay', 'drop', name, '--yes']);
  return { seconds, tally: JSON.parse(stdout) as ReplayTally };
}
