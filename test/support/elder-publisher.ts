/**
 * A publisher as a process of its own: publishes one transaction after the other until it is fenced, then says so
 * and ends. Arguments: broker, topic, transactional.id.
 */
import { FencedError } from '../../src/domain/errors.ts';
import { CONNECTION_DEFAULTS } from '../../src/kafka/client.ts';
import { KafkaDailyStateTopic } from '../../src/kafka/daily-state-topic.ts';
import { silent } from './kafka-lab.ts';

const [broker, topic, transactionalId] = process.argv.slice(2) as [string, string, string];
const publisher = new KafkaDailyStateTopic({
  connection: { ...CONNECTION_DEFAULTS, brokers: [broker], clientId: 'elder' },
  topic,
  transactionalId,
  encode: ({ assignmentId, day }) => ({
    key: Buffer.from(`${assignmentId}:${day}`),
    value: Buffer.from('elder'),
  }),
  log: silent,
});

await publisher.open();
try {
  for (let day = 0; ; day += 1) {
    const message = { assignmentId: 1, day, row: null };
    await publisher.publish([
      { assignmentId: 1, sequences: [], messages: [message], committedMs: null, decodedMs: null },
    ]);
    process.stdout.write('published\n');
  }
} catch (error) {
  process.stdout.write(error instanceof FencedError ? 'fenced\n' : `${String(error)}\n`);
}
await publisher.close();
