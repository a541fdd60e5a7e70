/** Whether the brokers take us for who we say we are: asked once, before work begins. */
import { ConfigurationError } from '../domain/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { createKafka } from './client.ts';
import type { KafkaConnection } from './client.ts';
import { refusalOf } from './errors.ts';

/**
 * Throws ConfigurationError (KAF010 to KAF012) where a login, a certificate or a token is refused. A broker that is away
 * is no reason not to begin: work waits for it.
 */
export async function checkKafkaAccess(connection: KafkaConnection, log: Logger): Promise<void> {
  if (connection.tls === null && connection.sasl === null) return;
  const admin = createKafka(connection, log, { retries: 0 }).admin();
  try {
    await admin.connect();
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal !== null) {
      throw new ConfigurationError(
        refusal.code,
        `${connection.brokers.join(',')}: ${refusal.message}`,
        error,
        true,
      );
    }
    log.warn({ err: error }, 'no broker answers yet: work begins once one does');
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
