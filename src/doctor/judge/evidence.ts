/** Everything that probes bring home, by the probe's name. */
import type {
  HeartbeatTable,
  InfiniteDates,
  Publication,
  HeldRights,
  SlotLooks,
  SourceServer,
  SourceTable,
} from './evidence-source.ts';
import type { ConnectConfig, ConnectMetrics, ConnectorTasks, ConnectServer } from './evidence-connect.ts';
import type { Beat, ConsumerGroup, KafkaCluster, PartitionPosition, Topic } from './evidence-kafka.ts';
import type { RegistryServer, RegistrySubject } from './evidence-registry.ts';
import type {
  Lease,
  ResnapshotRun,
  StoreDisk,
  StoreRole,
  StoreSchema,
  StoreServer,
  StoreSessions,
  StoreTable,
  StoreWork,
  TimescaleJob,
} from './evidence-store.ts';

export interface Evidence {
  readonly sourceServer: SourceServer;
  readonly sourceSlot: SlotLooks;
  /** null: there is no such publication. */
  readonly sourcePublication: Publication | null;
  readonly sourceTables: readonly SourceTable[];
  /** null: there is no such role. */
  readonly sourceRole: HeldRights | null;
  readonly sourceDates: readonly InfiniteDates[];
  readonly sourceHeartbeat: HeartbeatTable;
  readonly connectServer: ConnectServer;
  /** null: there is no such connector. */
  readonly connectTasks: ConnectorTasks | null;
  readonly connectConfig: ConnectConfig;
  readonly connectMetrics: ConnectMetrics;
  readonly kafkaCluster: KafkaCluster;
  readonly kafkaTopics: readonly Topic[];
  readonly kafkaPositions: readonly PartitionPosition[];
  readonly kafkaGroups: readonly ConsumerGroup[];
  /** null: the topic holds no heartbeat. */
  readonly kafkaBeat: Beat | null;
  readonly registryServer: RegistryServer;
  readonly registrySubjects: readonly RegistrySubject[];
  readonly storeServer: StoreServer;
  readonly storeSchema: StoreSchema;
  readonly storeRole: StoreRole;
  readonly storeWork: StoreWork;
  /** null: there was none. */
  readonly storeResnapshot: ResnapshotRun | null;
  readonly storeLeases: readonly Lease[];
  readonly storeSessions: StoreSessions;
  readonly storeTables: readonly StoreTable[];
  /** null: the schema was made without TimescaleDB. */
  readonly storeJobs: readonly TimescaleJob[] | null;
  readonly storeDisk: StoreDisk;
}

export type ProbeName = keyof Evidence;
