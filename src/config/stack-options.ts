/** Settings of the local stack (`anchorline stack`): where it lives and which ports it takes. */
import { join } from 'node:path';

import { DEFAULT_HEAP_MB, DEFAULT_PORTS } from '../stack/config.ts';
import { choice, port, text, textOrNone, whole } from './option.ts';

const heap = (part: string, value: number) =>
  whole('MB', { min: 64, max: 65_536 }, { default: value, prose: `Largest heap of ${part}.` });

export const STACK_OPTIONS = {
  dataDir: text({
    default: join('.anchorline', 'stack'),
    prose: 'Data, logs and pid files of the local stack.',
  }),
  jarsDir: text({ default: join('.anchorline', 'jars'), prose: 'Jars that Maven fetched for it.' }),
  postgresPort: port({
    default: DEFAULT_PORTS.postgres,
    prose: 'Postgres: the farm’s database and the state store.',
  }),
  kafkaPort: port({ default: DEFAULT_PORTS.kafka, prose: 'Kafka.' }),
  kafkaControllerPort: port({ default: DEFAULT_PORTS.kafkaController, prose: 'Kafka’s controller.' }),
  registryPort: port({ default: DEFAULT_PORTS.registry, prose: 'Schema registry.' }),
  connectPort: port({ default: DEFAULT_PORTS.connect, prose: 'Kafka Connect.' }),
  kafkaHeapMb: heap('Kafka', DEFAULT_HEAP_MB.kafka),
  registryHeapMb: heap('the registry', DEFAULT_HEAP_MB.registry),
  connectHeapMb: heap('Connect', DEFAULT_HEAP_MB.connect),
  profile: choice(['fast', 'full'], {
    default: 'full',
    prose:
      '`fast`: quick to start and small, without fsync, for demos and tests. `full`: for figures that count.',
  }),
  javaHome: textOrNone({ default: null, prose: 'Java to use; none: the newest that is found.' }),
  startTimeoutMs: whole(
    'ms',
    { min: 1_000, max: 3_600_000 },
    {
      default: 180_000,
      prose: 'How long a part may take until it answers.',
    },
  ),
  stopTimeoutMs: whole(
    'ms',
    { min: 1_000, max: 600_000 },
    {
      default: 20_000,
      prose: 'How long a part may take to end before it is killed.',
    },
  ),
} as const;
