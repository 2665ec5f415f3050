import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { readRecords } from '#worker/handlers/records/read-records';
import type { Row } from '#worker/handlers/records/row';
import { writeRecords } from '#worker/handlers/records/write-records';

vi.setConfig({ testTimeout: 30_000 }); // real libraries on a machine that may be busy

/** Cuts bytes anywhere, in the middle of a character included, as a network would. */
async function* pieces(text: string, sizes: readonly number[]): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  let from = 0;
  for (let i = 0; from < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    yield bytes.subarray(from, from + size);
    from += size;
  }
}

async function gather<T>(batches: AsyncIterable<T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const batch of batches) all.push(...batch);
  return all;
}

async function* batchesOf(rows: Row[]): AsyncGenerator<Row[]> {
  yield rows;
}

async function textOf(chunks: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += chunk;
  return text;
}

const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('records in pieces of any size', () => {
  it.each([undefined, 2])('reads any JSON array as JSON.parse does, indented by %s', async (indent) => {
    const rows = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(rows, sizes, async (given, cuts) => {
        const text = JSON.stringify(given, null, indent);
        expect(plain(await gather(readRecords(pieces(text, cuts), 'json')))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('reads any objects that follow one another, and lines of them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 6 }),
        sizes,
        async (given, cuts) => {
          const text = given.map((row) => `${JSON.stringify(row)}\n`).join('');
          const wanted = plain(given);
          for (const format of ['json', 'ndjson'] as const) {
            expect(plain(await gather(readRecords(pieces(text, cuts), format)))).toEqual(wanted);
          }
        },
      ),
    );
  });

  it('reads back the CSV that it writes, whatever the cells hold', async () => {
    const cell = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\u0000'));
    const row = fc.record({ 'a "b"': cell, 'c,\n': cell, d: cell });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 5 }), sizes, async (rows, cuts) => {
        const text = await textOf(writeRecords(batchesOf(rows), 'csv'));
        const read = await gather(readRecords(pieces(text, cuts), 'csv', { inferTypes: false }));
        expect(read.map((found) => Object.values(found))).toEqual(rows.map((given) => Object.values(given)));
      }),
    );
  });
});

it('refuses a record that is longer than its bound', async () => {
  async function* endless(start: string): AsyncGenerator<Buffer> {
    yield Buffer.from(start);
    for (;;) yield Buffer.alloc(1024 * 1024, 0x78);
  }
  await expect(gather(readRecords(endless('[{"a":"'), 'json'))).rejects.toThrow(/record 1 is longer than/);
  await expect(gather(readRecords(endless('{"a":"'), 'ndjson'))).rejects.toThrow(/line 1 is longer than/);
  await expect(gather(readRecords(endless('a\n"'), 'csv'))).rejects.toThrow(/not valid CSV/);
});
