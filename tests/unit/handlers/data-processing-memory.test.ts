/** Constant memory, shown in a process of its own whose heap could not hold the input. */
import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { build } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { createTempFolder } from '../../support/handler-context';

const MIB = 1024 * 1024;
const INPUT_BYTES = 100 * MIB;
const HEAP_MIB = 48;
const Report = z.object({
  maxRssMib: z.number(),
  result: z.looseObject({ records_in: z.number(), records_out: z.number() }),
});

let folder: Awaited<ReturnType<typeof createTempFolder>>;
let records = 0;

async function* lines(): AsyncGenerator<string> {
  const padding = 'x'.repeat(160);
  for (let bytes = 0; bytes < INPUT_BYTES; ) {
    let chunk = '';
    for (let i = 0; i < 1000; i++) {
      records++;
      chunk += `${JSON.stringify({ id: records, group: records % 7, amount: records / 100, padding })}\n`;
    }
    bytes += chunk.length;
    yield chunk;
  }
}

beforeAll(async () => {
  folder = await createTempFolder();
  const root = join(import.meta.dirname, '../../..');
  await build({
    configFile: false,
    logLevel: 'error',
    root,
    build: {
      ssr: join(root, 'tests/support/data-processing-runner.ts'),
      outDir: join(folder.path, 'built'),
      emptyOutDir: true,
      rolldownOptions: { output: { entryFileNames: 'runner.mjs' } },
    },
    ssr: { noExternal: true },
  });
  await pipeline(Readable.from(lines()), createWriteStream(join(folder.path, 'big.ndjson')));
}, 60_000);
afterAll(() => folder[Symbol.asyncDispose]());

async function run(payload: unknown) {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      `--max-old-space-size=${HEAP_MIB}`,
      join(folder.path, 'built', 'runner.mjs'),
      folder.path,
      JSON.stringify(payload),
    ],
    { maxBuffer: 4 * MIB },
  );
  return Report.parse(JSON.parse(stdout));
}

it('filters and maps a file of 100 MiB into another with a heap of 48 MiB', async () => {
  const steps = [
    { type: 'filter', field: 'group', op: 'ne', value: 3 },
    { type: 'map', compute: { double: 'amount * 2' } },
  ];
  const { maxRssMib, result } = await run({ path: 'big.ndjson', steps, output: { format: 'json', name: 'out.json' } });
  expect(result.records_in).toBe(records);
  expect(result.records_out).toBe(records - Math.floor((records + 4) / 7));
  expect((await stat(join(folder.path, 'out.json'))).size).toBeGreaterThan(80 * MIB);
  expect(maxRssMib).toBeLessThan(220);
}, 60_000);

it('groups it, and reads JSON arrays and CSV of that size, with the same heap', async () => {
  await run({ path: 'big.ndjson', output: { format: 'csv', name: 'big.csv' } });
  await run({ path: 'big.ndjson', output: { format: 'json', name: 'big.json' } });
  for (const path of ['big.ndjson', 'big.csv', 'big.json']) {
    const { maxRssMib, result } = await run({
      path,
      steps: [{ type: 'group', by: 'group', aggregates: [{ op: 'sum', field: 'amount' }] }],
    });
    expect(result, path).toMatchObject({ records_in: records, records_out: 7, groups: 7 });
    expect(maxRssMib, path).toBeLessThan(220);
  }
}, 120_000);
