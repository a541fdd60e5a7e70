/** What a stack trace of Connect tells a person: its causes, and what mends the known ones. */
import { withoutSecrets } from '../runtime/mask.ts';

const TRACE_LINES = 4;
/** Of the last cause: Postgres adds a detail. */
const ROOT_LINES = 2;
/** Debezium prints whole objects into its messages. */
const LONGEST_LINE = 400;

/** The first causes and the last, which is the one to mend, without the frames between them. */
export function traceHead(trace: string | undefined): readonly string[] {
  if (trace === undefined) return [];
  const lines = trace.split('\n').filter((line) => line.trim() !== '' && !/^\s+(at |\.\.\. )/.test(line));
  const root = lines.findLastIndex((line) => line.startsWith('Caused by: '));
  const last = root >= TRACE_LINES ? lines.slice(root, root + ROOT_LINES) : [];
  return [...lines.slice(0, TRACE_LINES), ...last].map((line) => shortened(withoutSecrets(line.trim())));
}

/** Both ends are kept: the beginning names the error, the end what is to be done. */
function shortened(line: string): string {
  if (line.length <= LONGEST_LINE) return line;
  return `${line.slice(0, LONGEST_LINE / 2)} … ${line.slice(-LONGEST_LINE / 2)}`;
}

interface Hint {
  readonly seen: RegExp;
  readonly mend: string;
}

/** In order: the first that fits is told. For people only, nothing is decided by it. */
const HINTS: readonly Hint[] = [
  {
    seen: /no longer available on the server|can no longer (get changes from|access) replication slot|replication slot "[^"]+" does not exist|requested WAL segment .* has already been removed/,
    mend: 'the source no longer has the changes that come next: `anchorline resnapshot --all --new-slot` captures anew and makes up for what was missed',
  },
  {
    seen: /replication slot "[^"]+" is active/,
    mend: 'somebody else reads from the slot: give each connector a source.slot of its own, or wait until the connection of a killed one is noticed (wal_sender_timeout)',
  },
  {
    seen: /all replication slots are in use/,
    mend: 'raise the source’s max_replication_slots and restart it, or drop a slot that nobody reads',
  },
  {
    seen: /publication autocreation is disabled|publication "[^"]+" does not exist/i,
    mend: 'the publication is missing: `anchorline connectors apply` makes it',
  },
  {
    seen: /password authentication failed|no pg_hba\.conf entry|role "[^"]+" (does not exist|is not permitted)/,
    mend: 'the source does not let the connector in: `anchorline connectors apply` sets source.role and source.password in both places; pg_hba.conf must let it in from Connect’s address',
  },
  {
    seen: /permission denied|must be (superuser|owner)/,
    mend: 'the role lacks a right: `anchorline connectors apply` grants it',
  },
  {
    seen: /database "[^"]+" does not exist/,
    mend: 'name the farm’s database in source.adminUrl, then `anchorline connectors apply`',
  },
  {
    seen: /apicurio|Failed to (de)?serialize Avro|Error (de)?serializing Avro/i,
    mend: 'the schema registry does not answer or refuses the schema: start it, check connect.registryUrl as Connect reaches it',
  },
  {
    seen: /RecordTooLargeException/,
    mend: 'a row is larger than a record may be: shorten it in the farm, or raise producer.override.max.request.size in the connector’s file and max.message.bytes of its topic',
  },
  {
    seen: /AuthorizationException|not authorized/i,
    mend: 'Kafka does not let Connect write: grant its user the topics',
  },
  {
    seen: /Connection to \S+ refused|The connection attempt failed|UnknownHostException|terminating connection/,
    mend: 'Connect does not reach the source: start it, check connect.sourceHost and connect.sourcePort',
  },
];

/** What mends the failure, in words; null where it is not one of the known ones. */
export function mendOf(trace: readonly string[]): string | null {
  const text = trace.join('\n');
  return HINTS.find(({ seen }) => seen.test(text))?.mend ?? null;
}
