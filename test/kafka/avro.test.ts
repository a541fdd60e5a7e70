/** The decoder against a registry of our own over real HTTP, so that it can lie, fail and be counted. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import avro from 'avsc';
import { createAvroDecoder, createAvroEncoder } from '../../src/kafka/avro.ts';
import type { AvroDecoder } from '../../src/kafka/avro.ts';
import { safeLongs } from '../../src/kafka/safe-long.ts';

const SCHEMA = {
  type: 'record',
  name: 'Row',
  namespace: 'test',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'parent', type: ['null', { type: 'long', 'connect.default': 0 }], default: null },
  ],
};
const TYPE = avro.Type.forSchema(SCHEMA as never, { typeHook: safeLongs });

function record(schemaId: number, value: unknown): Buffer {
  const header = Buffer.alloc(5);
  header.writeInt32BE(schemaId, 1);
  return Buffer.concat([header, TYPE.toBuffer(value)]);
}

let server: Server;
let url: string;
let asked: string[];
/** Answers by path; anything else is 404. */
let answers: Record<string, { status: number; body: unknown }>;
let decoder: AvroDecoder;
let nowMs: number;

beforeEach(async () => {
  asked = [];
  answers = {
    '/subjects': { status: 200, body: ['rows-value'] },
    '/schemas/ids/7': { status: 200, body: { schema: JSON.stringify(SCHEMA) } },
  };
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const { status, body } = answers[request.url ?? ''] ?? {
      status: 404,
      body: { error_code: 40403, message: 'Schema not found' },
    };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  nowMs = 0;
  decoder = createAvroDecoder(`${url}/`, () => nowMs);
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('decode', () => {
  it('answers at once, once the schema is known', async () => {
    expect(await decoder.decode(record(7, { id: 1, parent: null }))).toMatchObject({ ok: true });
    const known = decoder.decode(record(7, { id: 2, parent: 3 }));
    expect(known).toEqual({ ok: true, value: { id: 2, parent: 3 } });
  });

  it('asks once for a schema, however many records wait for it', async () => {
    const records = Array.from({ length: 50 }, async (_, id) =>
      decoder.decode(record(7, { id, parent: null })),
    );
    const results = await Promise.all(records);
    expect(results.every((result) => result.ok)).toBe(true);
    expect(asked).toEqual(['/schemas/ids/7']);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['less than a header', Buffer.from([0, 0, 0, 0])],
    ['another magic byte', Buffer.from([1, 0, 0, 0, 7, 2, 0])],
    ['text', Buffer.from('{"id":1}')],
    ['a body cut short', record(7, { id: 2n ** 60n, parent: 5 }).subarray(0, 9)],
    ['a body that goes on', Buffer.concat([record(7, { id: 1, parent: null }), Buffer.from([0])])],
    ['a branch that no union has', Buffer.from([0, 0, 0, 0, 7, 2, 8, 2])],
  ])('rejects %s', async (_, bytes) => {
    expect(await decoder.decode(bytes)).toEqual({
      ok: false,
      rejection: { code: 'REC001', message: expect.stringMatching(/./) },
    });
  });

  it('rejects an unknown schema, but asks again: it may be registered later', async () => {
    const late = record(8, { id: 1, parent: null });
    expect(await decoder.decode(late)).toMatchObject({ ok: false, rejection: { code: 'REC002' } });
    const before = asked.length;
    expect(decoder.decode(late)).toMatchObject({ ok: false, rejection: { code: 'REC002' } });
    expect(asked).toHaveLength(before);
    nowMs = 5_000;
    answers['/schemas/ids/8'] = { status: 200, body: { schema: JSON.stringify(SCHEMA) } };
    expect(await decoder.decode(late)).toMatchObject({ ok: true });
  });

  it('rejects a schema that is of no use, and remembers it', async () => {
    answers['/schemas/ids/9'] = { status: 200, body: { schema: '{"type":"nonsense"}' } };
    const hopeless = record(9, { id: 1, parent: null });
    expect(await decoder.decode(hopeless)).toMatchObject({ ok: false, rejection: { code: 'REC002' } });
    const before = asked.length;
    expect(decoder.decode(hopeless)).toMatchObject({ ok: false, rejection: { code: 'REC002' } });
    expect(asked).toHaveLength(before);
  });
});

describe('a registry out of reach', () => {
  const bytes = record(7, { id: 1, parent: null });
  const outage = { code: 'REG001', retryable: true };

  it.each([500, 502, 503, 429])('is an outage where it answers %i', async (status) => {
    answers['/schemas/ids/7'] = { status, body: { message: 'no' } };
    await expect(decoder.decode(bytes)).rejects.toMatchObject(outage);
  });

  it.each([401, 403])('is one that the login is to blame for where it answers %i', async (status) => {
    answers['/schemas/ids/7'] = { status, body: { message: 'no' } };
    await expect(decoder.decode(bytes)).rejects.toMatchObject({ code: 'REG010', retryable: true });
  });

  it('is an outage where nothing listens', async () => {
    const nowhere = createAvroDecoder('http://127.0.0.1:1');
    await expect(nowhere.decode(bytes)).rejects.toMatchObject(outage);
  });

  it('is an outage where the address is no registry at all', async () => {
    answers = {};
    await expect(decoder.decode(bytes)).rejects.toMatchObject(outage);
  });

  it('is an outage where it came back without its data', async () => {
    answers = { '/subjects': { status: 200, body: [] } };
    await expect(decoder.decode(bytes)).rejects.toMatchObject({ code: 'REG004', retryable: true });
  });

  it('is an outage where a page comes for a schema', async () => {
    answers = {
      '/schemas/ids/7': { status: 200, body: 'welcome' },
      '/subjects': { status: 200, body: 'welcome' },
    };
    await expect(decoder.decode(bytes)).rejects.toMatchObject(outage);
  });

  it('is forgotten when it is back', async () => {
    const right = answers['/schemas/ids/7'] as (typeof answers)[string];
    answers['/schemas/ids/7'] = { status: 503, body: {} };
    await expect(decoder.decode(bytes)).rejects.toMatchObject(outage);
    answers['/schemas/ids/7'] = right;
    expect(await decoder.decode(bytes)).toMatchObject({ ok: true });
  });
});

describe('createAvroEncoder', () => {
  beforeEach(() => {
    answers['/config/rows'] = { status: 200, body: { compatibilityLevel: 'FULL_TRANSITIVE' } };
    answers['/subjects/rows/versions'] = { status: 200, body: { id: 7 } };
  });

  it("writes the registry's wire format", async () => {
    const encoder = await createAvroEncoder(url, 'rows', SCHEMA);
    const bytes = encoder.encode({ id: 2n ** 60n, parent: 5 });
    expect(bytes.equals(record(7, { id: 2n ** 60n, parent: 5 }))).toBe(true);
  });

  it('names the field that does not fit', async () => {
    const encoder = await createAvroEncoder(url, 'rows', SCHEMA);
    expect(() => encoder.encode({ id: 2n ** 60n, parent: 'nobody' })).toThrow('rows: the value does not fit');
    expect(() => encoder.encode({ id: 2n ** 60n, parent: 'nobody' })).toThrow('parent');
  });

  it.each([409, 422])('is a mistake of configuration where the registry refuses with %i', async (status) => {
    answers['/subjects/rows/versions'] = { status, body: { message: 'incompatible' } };
    await expect(createAvroEncoder(url, 'rows', SCHEMA)).rejects.toMatchObject({
      code: 'REG002',
      retryable: false,
      message: expect.stringContaining('incompatible'),
    });
  });

  it.each(['/config/rows', '/subjects/rows/versions'])('is an outage where %s fails', async (path) => {
    answers[path] = { status: 503, body: {} };
    await expect(createAvroEncoder(url, 'rows', SCHEMA)).rejects.toMatchObject({
      code: 'REG001',
      retryable: true,
    });
  });
});

describe('longs', () => {
  const LONG = avro.Type.forSchema('long', { typeHook: safeLongs });

  it('come back as they went: numbers where safe, bigints beyond', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (long) => {
        const isSafe = Number.isSafeInteger(Number(long));
        expect(LONG.fromBuffer(LONG.toBuffer(long))).toBe(isSafe ? Number(long) : long);
      }),
      { numRuns: 1000 },
    );
  });

  it('are written as plain Avro longs', () => {
    const plain = avro.Type.forSchema('long');
    fc.assert(
      fc.property(fc.maxSafeInteger(), (long) => {
        // The reference itself gives up near its limits.
        fc.pre(Math.abs(long) < 2 ** 52);
        expect(LONG.toBuffer(long).equals(plain.toBuffer(long))).toBe(true);
        expect(LONG.fromBuffer(plain.toBuffer(long))).toBe(long === 0 ? 0 : long);
      }),
    );
  });

  it.each([
    0,
    -1,
    1,
    63,
    64,
    -64,
    -65,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
    2 ** 48,
    -(2 ** 48),
    2 ** 49,
    2 ** 52,
  ])('keep %i', (long) => {
    expect(LONG.fromBuffer(LONG.toBuffer(long))).toBe(long);
  });

  it.each([2n ** 53n, -(2n ** 53n), 1_714_557_600_000_000_000n, 2n ** 63n - 1n, -(2n ** 63n)])(
    'keep %i',
    (long) => {
      expect(LONG.fromBuffer(LONG.toBuffer(long))).toBe(long);
    },
  );

  it.each([1.5, 2 ** 53, 2n ** 63n, '5', null])('refuse to write %s', (value) => {
    expect(() => LONG.toBuffer(value)).toThrow(/invalid|serialize/);
  });
});
