/** A farm's history into change topics: `node ops/bench/farm/topics.ts --help`. */
import { parseArgs } from 'node:util';
import { loadProcessConfig } from '../../../src/config/environment.ts';
import { EXIT } from '../../../src/runtime/exit-codes.ts';
import { createLogger } from '../../../src/runtime/logger.ts';
import { registryOf } from '../../../src/wiring-access.ts';
import { kafkaConnectionOf, topicSettingsOf } from '../../../src/wiring.ts';
import { asCommand } from '../as-command.ts';
import { SCALE_HELP, SCALE_OPTIONS, scaleFrom } from './scale.ts';
import { writeTopics } from './topic-writer.ts';

const HELP = `Makes a farm from a seed and writes its history into change topics, as the connector would have written it.
Broker, registry and topics are those of the settings (ANCHORLINE_KAFKA_BROKERS, ANCHORLINE_REGISTRY_URL,
ANCHORLINE_TOPICS_PREFIX …); the topics are created, and must be empty.

  node ops/bench/farm/topics.ts [options]

  --prefix TEXT  instead of the settings' topics.prefix
${SCALE_HELP}

Examples:
  node ops/bench/farm/topics.ts --prefix bench
  node ops/bench/farm/topics.ts --prefix bench --scale 0.1 --seed 2`;

await asCommand(async () => {
  const { values: options } = parseArgs({
    options: { ...SCALE_OPTIONS, prefix: { type: 'string' }, help: { type: 'boolean', default: false } },
  });
  if (options.help) {
    console.log(HELP);
    return EXIT.ok;
  }
  const scale = scaleFrom(options);
  const { config } = loadProcessConfig();
  const settings = topicSettingsOf(config);
  const start = performance.now();
  const records = await writeTopics({
    connection: kafkaConnectionOf(config),
    registry: registryOf(config),
    topics: { ...settings, prefix: options.prefix ?? settings.prefix },
    scale,
    log: createLogger({ level: 'warn', format: 'pretty' }),
    startMs: Date.now(),
    onProgress: (sent) => process.stderr.write(`\r${sent} records`),
  });
  const seconds = (performance.now() - start) / 1_000;
  const rate = Math.round(records / seconds).toLocaleString('en');
  process.stderr.write('\n');
  console.log(`${records} records: ${seconds.toFixed(1)} s, ${rate} records/s`);
  return EXIT.ok;
});
