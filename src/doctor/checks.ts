/** Every check, declared once: its id, what it asks in one line, and who judges. */
import { clock } from './judge/clock.ts';
import { connectorDrift, heartbeat, offsetMismatch, queueFill, signal, tasks } from './judge/connector.ts';
import { consumerGroups } from './judge/groups.ts';
import type { Judge } from './judge/judge.ts';
import { ingestLag, positions, retention } from './judge/positions.ts';
import { publication, publicationFilters, publicationTables } from './judge/publication.ts';
import { reach, sameCluster } from './judge/reach.ts';
import { registryCompatibility, registryMode, registrySchemas } from './judge/registry.ts';
import { role, roleExcess, roleRights, storeRole } from './judge/rights.ts';
import { replicationHeadroom, slot, slotFailover, slotLag, slotWalLimit, walLevel } from './judge/slot.ts';
import { infiniteDates, keys, numericScale } from './judge/source-data.ts';
import {
  storeConnections,
  storeDisk,
  storeMigrations,
  storeSettings,
  storeTransactions,
  storeVacuum,
  storeVersion,
} from './judge/store.ts';
import { timescaleJobs, timescalePolicies } from './judge/timescale.ts';
import { topicConfig, topicReplication, topics } from './judge/topics.ts';
import { deadLetters, dirt, horizon, leases, parked, publicationBacklog, resnapshot } from './judge/work.ts';

interface Check {
  readonly asks: string;
  readonly judge: Judge;
}

/** In the order in which data moves, which is that of the listing. */
export const CHECKS = {
  reach: { asks: 'Does each part answer?', judge: reach },
  'same-cluster': { asks: 'Do Connect and Anchorline speak to the same Kafka?', judge: sameCluster },
  clock: { asks: 'Do the machines agree on the time?', judge: clock },

  'wal-level': { asks: 'Does the source write what can be captured?', judge: walLevel },
  slot: { asks: 'Is the replication slot there, in use, and its WAL with it?', judge: slot },
  'slot-lag': { asks: 'How much WAL does the slot hold back, and is it growing?', judge: slotLag },
  'slot-wal-limit': { asks: 'Is the WAL for slots bounded, and not too tightly?', judge: slotWalLimit },
  'slot-failover': { asks: 'Does the slot outlive a failover of the source?', judge: slotFailover },
  'replication-headroom': { asks: 'Are replication slots and WAL senders left?', judge: replicationHeadroom },
  publication: { asks: 'Is the publication there, with inserts, updates and deletes?', judge: publication },
  'publication-tables': {
    asks: 'Does it cover the captured tables, heartbeat and signal?',
    judge: publicationTables,
  },
  'publication-filters': { asks: 'Does it leave out rows or columns?', judge: publicationFilters },
  role: { asks: 'May the connector’s role log in and replicate?', judge: role },
  'role-rights': { asks: 'Does it lack a right?', judge: roleRights },
  'role-excess': { asks: 'Has it rights beyond its work?', judge: roleExcess },
  keys: { asks: 'Are rows of the captured tables known by their keys?', judge: keys },
  'numeric-scale': { asks: 'May a decimal have more places than facts keep?', judge: numericScale },
  'infinite-dates': { asks: 'Do rows hold infinite dates?', judge: infiniteDates },

  tasks: { asks: 'Do the connector and its task run?', judge: tasks },
  'connector-drift': { asks: 'Is it deployed as the files say?', judge: connectorDrift },
  heartbeat: { asks: 'Does it beat while the farm is quiet?', judge: heartbeat },
  signal: { asks: 'Does it hear a request for a snapshot?', judge: signal },
  'offset-mismatch': { asks: 'Does it notice a slot that was made anew?', judge: offsetMismatch },
  'queue-fill': { asks: 'How full is its queue?', judge: queueFill },

  topics: { asks: 'Are the topics there, with the right number of partitions?', judge: topics },
  'topic-replication': {
    asks: 'Is each partition led and copied, and how many must be in sync?',
    judge: topicReplication,
  },
  'topic-config': { asks: 'Are cleanup and retention as they must be?', judge: topicConfig },
  positions: { asks: 'Do the topics still hold what was not read yet?', judge: positions },
  retention: { asks: 'May deletes be gone before they are read?', judge: retention },
  'ingest-lag': { asks: 'How long do records lie unread?', judge: ingestLag },
  'consumer-groups': { asks: 'Does anybody take part in the work?', judge: consumerGroups },

  'registry-mode': { asks: 'Does the registry take new schemas?', judge: registryMode },
  'registry-compatibility': { asks: 'Are our subjects FULL_TRANSITIVE?', judge: registryCompatibility },
  'registry-schemas': { asks: 'Are our schemas, and those of records, registered?', judge: registrySchemas },

  'store-version': { asks: 'Is the state store new enough, and writable?', judge: storeVersion },
  'store-migrations': { asks: 'Is its schema there and current?', judge: storeMigrations },
  'store-settings': { asks: 'Was it computed with these settings and rules?', judge: storeSettings },
  'store-role': { asks: 'Does its role have the rights that it needs, and no others?', judge: storeRole },
  'store-disk': { asks: 'How much room is left on its disk?', judge: storeDisk },
  'store-connections': { asks: 'Are connections left?', judge: storeConnections },
  'store-transactions': { asks: 'Has a transaction been open for long?', judge: storeTransactions },
  'store-vacuum': { asks: 'Do dead rows gather?', judge: storeVacuum },
  'timescale-jobs': { asks: 'Do TimescaleDB’s jobs run, and succeed?', judge: timescaleJobs },
  'timescale-policies': { asks: 'Are compression and refresh scheduled?', judge: timescalePolicies },

  dirt: { asks: 'How long do changes wait to be computed?', judge: dirt },
  parked: { asks: 'Which assignments cannot be computed?', judge: parked },
  'dead-letters': { asks: 'Which records were set aside?', judge: deadLetters },
  'publication-backlog': { asks: 'How long do rows wait to be published?', judge: publicationBacklog },
  resnapshot: { asks: 'Does a resnapshot wait for a decision, or did one fail?', judge: resnapshot },
  horizon: { asks: 'Is everything computed up to today?', judge: horizon },
  leases: { asks: 'Is every leading role led?', judge: leases },
} as const satisfies Record<string, Check>;

export type CheckId = keyof typeof CHECKS;

export const CHECK_IDS = Object.keys(CHECKS) as readonly CheckId[];
