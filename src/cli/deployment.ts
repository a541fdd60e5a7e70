/** What the commands about connector and topics work with; loaded when one of them runs. */
import type { Admin } from 'kafkajs';
import type { Config } from '../config/load.ts';
import { ConnectClient } from '../connect/client.ts';
import { loadConnector } from '../connect/definition.ts';
import type { Deployment } from '../connect/deploy.ts';
import { lastRecordAge } from '../connect/heartbeat.ts';
import { type ConnectorStatus, connectorStatus } from '../connect/status.ts';
import { AnchorlineError } from '../domain/errors.ts';
import { createKafka } from '../kafka/client.ts';
import { KafkaUnavailableError, isKafkaJsError } from '../kafka/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { connectOf } from '../wiring-access.ts';
import {
  connectorFileOf,
  connectorSettingsOf,
  kafkaConnectionOf,
  sourceAdminOf,
  sourceSettingsOf,
} from '../wiring.ts';

/** Someone waits at the terminal: a broker or a Connect that is away is told soon. */
const HASTY_RETRY = { initialRetryTime: 200, retries: 2 };
const HASTY_CALLS = 4;

export function connectClientOf(config: Config): ConnectClient {
  return new ConnectClient(connectOf(config), HASTY_CALLS);
}

/** `prepare`: whether the source is part of it. */
export async function deploymentOf(config: Config, prepare: boolean): Promise<Deployment> {
  return {
    client: connectClientOf(config),
    definition: await loadConnector(connectorFileOf(config), connectorSettingsOf(config)),
    source: prepare ? { admin: sourceAdminOf(config), settings: sourceSettingsOf(config) } : null,
  };
}

/** A source or a Kafka that is down is told as unknown. */
export async function statusOf(config: Config, log: Logger): Promise<ConnectorStatus> {
  return connectorStatus({
    client: connectClientOf(config),
    name: config.connect.connector,
    source: { pg: sourceAdminOf(config), slot: config.source.slot },
    lastRecordAge: (topic) =>
      withAdmin(config, log, (admin) => lastRecordAge(admin, topic, systemClock.nowMs())),
  });
}

/** Throws KAF001 where Kafka does not answer. */
export async function withAdmin<T>(
  config: Config,
  log: Logger,
  work: (admin: Admin) => Promise<T>,
): Promise<T> {
  const connection = kafkaConnectionOf(config);
  const admin = createKafka(connection, log, HASTY_RETRY).admin();
  try {
    await admin.connect();
    return await work(admin);
  } catch (error) {
    if (error instanceof AnchorlineError) throw error;
    throw isKafkaJsError(error) ? new KafkaUnavailableError(connection.brokers.join(','), error) : error;
  } finally {
    await admin.disconnect();
  }
}
