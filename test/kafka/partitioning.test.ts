import { Partitioners } from 'kafkajs';
import { describe, expect, test } from 'vitest';

import { murmur2, partitionOfAssignment } from '../../src/kafka/partitioning.ts';

describe('the partition of an assignment', () => {
  test('is the one that the default partitioner of kafkajs gives to its text', () => {
    const partition = Partitioners.DefaultPartitioner();
    for (const partitions of [1, 3, 12, 64]) {
      const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
        partitionId,
        leader: 1,
        partitionErrorCode: 0,
        replicas: [1],
        isr: [1],
      }));
      for (let id = 1; id < 20_000; id = id * 3 + 7) {
        const message = { key: String(id), value: null };
        expect(partitionOfAssignment(id, partitions)).toBe(
          partition({ topic: 't', partitionMetadata, message }),
        );
      }
    }
  });

  test('is what the Java client computes', () => {
    // Values of org.apache.kafka.common.utils.UtilsTest.
    expect(murmur2(Buffer.from('21'))).toBe(-973932308);
    expect(murmur2(Buffer.from('foobar'))).toBe(-790332482);
    expect(murmur2(Buffer.from('a-little-bit-long-string'))).toBe(-985981536);
    expect(murmur2(Buffer.from('a-little-bit-longer-string'))).toBe(-1486304829);
    expect(murmur2(Buffer.from('lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8'))).toBe(-58897971);
    expect(murmur2(Buffer.from('abc'))).toBe(479470107);
  });
});
