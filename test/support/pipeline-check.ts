/** What must hold once a pipeline has settled: everything that does not is told as a line, so none is a pass. */
import { dailyStateTopic, deadLetterTopic, tableOfTopic } from '../../src/domain/topics.ts';
import type { AnomalyCode } from '../../src/domain/catalogue.ts';
import { isoToDay } from '../../src/domain/day.ts';
import type { Anomaly } from '../../src/domain/rows.ts';
import { DEAD_LETTER_HEADERS } from '../../src/kafka/producers.ts';
import { engineSettingsOf } from '../../src/wiring.ts';
import { sourceFacts } from './pipeline-facts.ts';
import {
  CARRY_COLUMNS,
  SHOWN_COLUMNS,
  STAMP_COLUMNS,
  computedText,
  differences,
  rowKey,
  rowText,
} from './pipeline-rows.ts';
import type { RowText, RowsByKey } from './pipeline-rows.ts';
import { readStates, readTopic } from './pipeline-topic.ts';
import type { Pipeline } from './pipeline.ts';
import { sortedTexts } from './sim-compare.ts';
import { expectedRows } from './sim-expected.ts';

/** A dead letter that a test planted: `<table> <code> <state>`. */
export type PlantedLetter = `${string} REC${string} ${'open' | 'superseded' | 'settled'}`;

/**
 * Everything wrong with a settled pipeline, one line each. `unstored`: rows of the source, as `<table> <id>`, that map
 * well but that the store was made to refuse; the full pass, whose columns have no limits, must do without them too.
 */
export async function problemsOf(
  pipeline: Pipeline,
  planted: readonly PlantedLetter[] = [],
  unstored: readonly string[] = [],
): Promise<string[]> {
  const table = await tableRows(pipeline);
  return [
    ...(await unfinished(pipeline)),
    ...(await againstFullPass(pipeline, table, unstored)),
    ...(await againstTopic(pipeline, table)),
    ...(await againstPlanted(pipeline, planted)),
  ];
}

/** The table as it stands. */
export async function tableRows(pipeline: Pipeline): Promise<RowsByKey> {
  const columns = [...SHOWN_COLUMNS, ...CARRY_COLUMNS, ...STAMP_COLUMNS];
  const rows = await pipeline.inStore<Record<string, string>>(
    `select assignment_id, date::text as day, ${[...SHOWN_COLUMNS, ...CARRY_COLUMNS].map((c) => `${c}::text`).join(', ')},
            id::text, revision::text, floor(extract(epoch from last_computed_at) * 1000)::text as last_computed_at
     from daily_state`,
  );
  return new Map<string, RowText>(
    rows.map((row) => [
      rowKey(Number(row['assignment_id']), isoToDay(String(row['day']))),
      rowText(columns, row),
    ]),
  );
}

async function unfinished(pipeline: Pipeline): Promise<string[]> {
  const counts = await pipeline.inStore<{ name: string; count: string }>(
    `select 'dirt' as name, count(*) from dirt union all select 'publication_log', count(*) from publication_log
     union all select 'parked', count(*) from parked`,
  );
  return counts.filter(({ count }) => Number(count) > 0).map(({ name, count }) => `${count} left in ${name}`);
}

async function againstFullPass(
  pipeline: Pipeline,
  table: RowsByKey,
  unstored: readonly string[],
): Promise<string[]> {
  const settings = engineSettingsOf(pipeline.config);
  const [stored] = await pipeline.inStore<{ date: string }>('select date::text from horizon');
  if (stored === undefined) return ['the store has no horizon'];
  const facts = await sourceFacts(pipeline.source, settings, unstored);
  const expected = expectedRows(facts, isoToDay(stored.date), settings);
  const open = await pipeline.inStore<{ topic: string; code: string }>(
    `select topic, code from dead_letter where state = 'open'`,
  );
  const computed = new Map<string, RowText>();
  for (const [id, days] of expected.rows) {
    for (const [day, row] of days) computed.set(rowKey(id, day), computedText(row));
  }
  const anomalies = await storedAnomalies(pipeline);
  const found = sortedTexts(anomalies);
  const wanted = sortedTexts([...expected.anomalies.values()].flat());
  const refused = facts.refused.map(({ table, code }) => `${table} ${code}`);
  const aside = open.map(
    ({ topic, code }) => `${tableOfTopic(pipeline.config.topics.prefix, topic)} ${code}`,
  );
  return [
    ...only(refused, aside).map(
      (text) => `a row of the source that is neither fact nor dead letter: ${text}`,
    ),
    ...differences(['the table', table], ['one full pass', computed], [...SHOWN_COLUMNS, ...CARRY_COLUMNS]),
    ...only(found, wanted).map((text) => `an anomaly in the store only: ${text}`),
    ...only(wanted, found).map((text) => `an anomaly of the full pass only: ${text}`),
  ];
}

async function storedAnomalies(pipeline: Pipeline): Promise<Anomaly[]> {
  const rows = await pipeline.inStore<
    Record<'id' | 'rule' | 'detail', string> & { code: AnomalyCode; day: string | null }
  >('select assignment_id as id, date::text as day, rule, code, detail from anomaly');
  return rows.map(({ id, day, rule, code, detail }) => ({
    assignmentId: Number(id),
    day: day === null ? null : isoToDay(day),
    rule,
    code,
    detail,
  }));
}

async function againstTopic(pipeline: Pipeline, table: RowsByKey): Promise<string[]> {
  const { lab, config } = pipeline;
  const states = await readStates(lab, config.registry.url, dailyStateTopic(config.topics.namespace));
  return [
    ...differences(['the table', table], ['the topic', states.last], [...SHOWN_COLUMNS, ...STAMP_COLUMNS]),
    ...states.disorder,
  ];
}

interface Letter {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly code: string;
  readonly state: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** The store's letters are the planted ones, and each is in the topic as it came, with where it was and why. */
async function againstPlanted(pipeline: Pipeline, planted: readonly PlantedLetter[]): Promise<string[]> {
  const { prefix, namespace } = pipeline.config.topics;
  const letters = await pipeline.inStore<Letter>(
    `select topic, partition, "offset"::text, code, state, key, value from dead_letter`,
  );
  const kept = letters.map(({ topic, code, state }) => `${tableOfTopic(prefix, topic)} ${code} ${state}`);
  const sent = new Map<string, { code: string | undefined; raw: string }>();
  for (const { key, value, headers } of await readTopic(pipeline.lab, deadLetterTopic(namespace))) {
    const at = [DEAD_LETTER_HEADERS.topic, DEAD_LETTER_HEADERS.partition, DEAD_LETTER_HEADERS.offset];
    sent.set(at.map((name) => headers[name]).join('/'), {
      code: headers[DEAD_LETTER_HEADERS.code],
      raw: raw(key, value),
    });
  }
  const unsent = letters.filter(({ topic, partition, offset, code, key, value }) => {
    const message = sent.get(`${topic}/${partition}/${offset}`);
    return message?.code !== code || message.raw !== raw(key, value);
  });
  return [
    ...only(kept, planted).map((text) => `a dead letter that nobody planted: ${text}`),
    ...only(planted, kept).map((text) => `a planted dead letter that is not there: ${text}`),
    ...unsent.map(
      ({ topic, offset }) => `the dead-letter topic lacks ${topic}@${offset}, or has it otherwise`,
    ),
    ...(sent.size > letters.length ? ['the dead-letter topic holds more than the store'] : []),
  ];
}

function raw(key: Buffer | null, value: Buffer | null): string {
  return `${key?.toString('hex')} ${value?.toString('hex')}`;
}

/** What the first has and the second has not, as often as it is there. */
function only(first: readonly string[], second: readonly string[]): string[] {
  const left = [...second];
  return first.filter((text) => {
    const at = left.indexOf(text);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
