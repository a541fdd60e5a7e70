/**
 * Where an assignment's records go: Kafka's own murmur2 over the assignment id as decimal text, positive,
 * modulo the partitions. It is what the default partitioner of the Java client and of kafkajs does with
 * such a key, so that any client can tell where an assignment lies (the contract promises it).
 */
const SEED = 0x9747b28c;
const M = 0x5bd1e995;

export function partitionOfAssignment(assignmentId: number, partitions: number): number {
  return partitionOfKey(Buffer.from(String(assignmentId), 'utf8'), partitions);
}

export function partitionOfKey(key: Buffer, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

/** The 32-bit hash of Kafka's clients, as a signed integer. */
export function murmur2(data: Buffer): number {
  let hash = SEED ^ data.length;
  const whole = data.length & ~3;
  for (let at = 0; at < whole; at += 4) {
    let word = Math.imul(data.readInt32LE(at), M);
    word = Math.imul(word ^ (word >>> 24), M);
    hash = Math.imul(hash, M) ^ word;
  }
  if (whole < data.length) {
    for (let at = whole; at < data.length; at += 1) hash ^= (data[at] ?? 0) << (8 * (at - whole));
    hash = Math.imul(hash, M);
  }
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}
