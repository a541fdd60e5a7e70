import { describe, expect, test } from 'vitest';
import { mendOf, traceHead } from '../../src/connect/trace.ts';

const TRACE = `org.apache.kafka.connect.errors.ConnectException: An exception occurred in the change event producer.
\tat io.debezium.pipeline.ErrorHandler.setProducerThrowable(ErrorHandler.java:67)
\tat java.base/java.lang.Thread.run(Thread.java:1474)
Caused by: io.debezium.DebeziumException: Creation of replication slot failed
\t... 5 more

Caused by: org.postgresql.util.PSQLException: FATAL: permission denied to start WAL sender
  Detail: Only roles with the REPLICATION attribute may start a WAL sender process.
\tat org.postgresql.core.v3.ConnectionFactoryImpl.doAuthentication(ConnectionFactoryImpl.java:733)
Caused by: one more
\t... 1 more
Caused by: org.postgresql.util.PSQLException: ERROR: permission denied for table batch_growthsample
  Detail: of the last
  Where: nobody asks`;

describe('the head of a trace', () => {
  test('is its first causes and the last, without frames', () => {
    expect(traceHead(TRACE)).toEqual([
      'org.apache.kafka.connect.errors.ConnectException: An exception occurred in the change event producer.',
      'Caused by: io.debezium.DebeziumException: Creation of replication slot failed',
      'Caused by: org.postgresql.util.PSQLException: FATAL: permission denied to start WAL sender',
      'Detail: Only roles with the REPLICATION attribute may start a WAL sender process.',
      'Caused by: org.postgresql.util.PSQLException: ERROR: permission denied for table batch_growthsample',
      'Detail: of the last',
    ]);
    expect(traceHead(undefined)).toEqual([]);
  });

  test('keeps both ends of a line that prints a whole object', () => {
    const [line] = traceHead(
      `The connector is trying ${'x'.repeat(2000)} no longer available on the server.`,
    );
    expect(line?.length).toBeLessThan(410);
    expect(line).toMatch(/^The connector is trying .* … .* no longer available on the server\.$/);
  });
});

/** Words of Debezium 3.6, Connect 4.3 and Postgres 18 as they were seen. */
describe('a known failure has its mend:', () => {
  test.each([
    [
      'trying to read change stream, but this is no longer available on the server.',
      'resnapshot --all --new-slot',
    ],
    ['ERROR: can no longer access replication slot "anchorline"', 'resnapshot --all --new-slot'],
    ['ERROR: replication slot "anchorline" is active for PID 77', 'source.slot'],
    ['ERROR: all replication slots are in use', 'max_replication_slots'],
    ['Publication autocreation is disabled, please create one and restart the connector.', 'apply'],
    ['ERROR: publication "anchorline" does not exist', 'publication is missing'],
    ['FATAL: password authentication failed for user "anchorline_cdc"', 'source.password'],
    ['FATAL: permission denied to start WAL sender', 'lacks a right'],
    ['FATAL: database "nodb" does not exist', 'source.adminUrl'],
    ['Caused by: io.apicurio.registry.rest.client.models.ProblemDetails', 'connect.registryUrl'],
    [
      'org.apache.kafka.common.errors.RecordTooLargeException: The message is 10485760 bytes',
      'max.request.size',
    ],
    ['Connection to 127.0.0.1:1 refused. Check that the hostname', 'connect.sourceHost'],
  ])('%s', (line, mend) => {
    expect(mendOf(['a line before', line])).toContain(mend);
  });

  test('an unknown one has none', () => {
    expect(mendOf(['java.lang.NullPointerException'])).toBeNull();
  });
});
