/**
 * Compression codecs for kafkajs, which knows only gzip. Debezium and Java producers write lz4 or zstd.
 * Snappy is not here: no maintained binding reads Java's framing, and nothing of ours writes it.
 */
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';

import kafkajs from 'kafkajs';
import { compressFrame, compressFrameSync, decompressFrame, decompressFrameSync } from 'lz4-napi';

/** Below this the thread pool costs more than it saves. */
const SYNC_BYTES = 128 * 1024;

interface Encoder {
  readonly buffer: Buffer;
}

const zstd = { compress: promisify(zstdCompress), decompress: promisify(zstdDecompress) };

const lz4Codec = {
  // Frames, not blocks: that is what Kafka's record batches hold.
  async compress({ buffer }: Encoder): Promise<Buffer> {
    return buffer.length < SYNC_BYTES ? compressFrameSync(buffer) : compressFrame(buffer);
  },
  async decompress(buffer: Buffer): Promise<Buffer> {
    return buffer.length < SYNC_BYTES ? decompressFrameSync(buffer) : decompressFrame(buffer);
  },
};

const zstdCodec = {
  compress: ({ buffer }: Encoder): Promise<Buffer> => zstd.compress(buffer),
  decompress: (buffer: Buffer): Promise<Buffer> => zstd.decompress(buffer),
};

/** Registers the codecs with kafkajs, whose registry is one per process; repeating it does no harm. */
export function registerCodecs(): void {
  const { CompressionCodecs, CompressionTypes } = kafkajs;
  CompressionCodecs[CompressionTypes.LZ4] = () => lz4Codec;
  CompressionCodecs[CompressionTypes.ZSTD] = () => zstdCodec;
}
