import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { FatalError, RetryLater } from '#worker/handler';
import { createDataProcessingHandler, DataProcessingPayload } from '#worker/handlers/data-processing';
import { createBuiltInConfig, createContext, createTempFolder, runHandler } from '../../support/handler-context';

vi.setConfig({ testTimeout: 30_000 }); // real libraries on a machine that may be busy

const Result = z.object({
  records_in: z.number(),
  records_out: z.number(),
  groups: z.number().optional(),
  records: z.array(z.record(z.string(), z.unknown())).optional(),
  truncated: z.boolean().optional(),
  note: z.string().optional(),
  artifact: z.object({ name: z.string(), path: z.string(), bytes: z.number(), media_type: z.string() }).optional(),
});

let folder: Awaited<ReturnType<typeof createTempFolder>>;
beforeEach(async () => {
  folder = await createTempFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

async function run(payload: unknown) {
  const handler = createDataProcessingHandler(createBuiltInConfig(folder.path));
  const { result, ...record } = await runHandler(handler, payload, { folder: folder.path });
  return { ...Result.parse(result), ...record };
}

const PEOPLE = [
  { name: 'Ada', team: 'red', points: 10, home: { city: 'London' } },
  { name: 'Bob', team: 'blue', points: 5, home: { city: 'Paris' } },
  { name: 'Cyd', team: 'red', points: '7', home: { city: 'Rome' } },
  { name: 'Dan', team: null, points: 1 },
];

describe('inputs', () => {
  it('gives inline records back as they are', async () => {
    const { records, records_in, records_out } = await run({ records: PEOPLE });
    expect(records).toEqual(PEOPLE);
    expect([records_in, records_out]).toEqual([4, 4]);
  });

  it('takes a number of records for generated ones, equal for equal seeds', async () => {
    const first = await run({ records: 50 });
    const again = await run({ generate: 50 });
    const other = await run({ generate: 50, seed: 2 });
    expect(first.records).toHaveLength(50);
    expect(again.records).toEqual(first.records);
    expect(other.records).not.toEqual(first.records);
  });

  it('works out numbers over sample records when told only to aggregate', async () => {
    const { records_in, records } = await run({ operation: 'aggregate' });
    expect(records_in).toBe(1000);
    expect(records?.[0]).toMatchObject({ count: 1000, id_sum: 500_500, id_min: 1, id_max: 1000 });
    expect(records?.[0]).toHaveProperty('amount_avg');
  });

  it.each([
    [
      'csv',
      'a,b\r\n1,"x, ""y"""\r\n\r\n2,\r\n',
      [
        { a: 1, b: 'x, "y"' },
        { a: 2, b: null },
      ],
    ],
    ['json', ' [ {"a":[1,{"b":"]"}]} , {"a":"\\"}"} ] ', [{ a: [1, { b: ']' }] }, { a: '"}' }]],
    ['json', '{"a":1}\n{"a":2}', [{ a: 1 }, { a: 2 }]],
    ['json', '{\n "a": 1\n}', [{ a: 1 }]],
    ['json', '[]', []],
    ['json', '[1,"two",null]', [{ value: 1 }, { value: 'two' }, { value: null }]],
    ['ndjson', '{"a":1}\n\n{"a":2}', [{ a: 1 }, { a: 2 }]],
  ])('reads inline %s: %j', async (format, content, expected) => {
    expect((await run({ content, format })).records).toEqual(expected);
    await writeFile(join(folder.path, `in.${format}`), content);
    expect((await run({ path: `in.${format}` })).records).toEqual(expected);
  });

  it('keeps codes, long ids and text as text, unless told to keep all of it', async () => {
    const content = 'zip,id,n,yes\n01234,12345678901234567890,1.50,true\n';
    expect((await run({ content })).records).toEqual([{ zip: '01234', id: '12345678901234567890', n: 1.5, yes: true }]);
    expect((await run({ content, infer_types: false })).records?.[0]).toMatchObject({ n: '1.50', yes: 'true' });
  });

  it('numbers columns that have no name or share one', async () => {
    expect((await run({ content: 'a,,a\n1,2,3\n' })).records).toEqual([{ a: 1, column_2: 2, a_2: 3 }]);
  });

  it.each([
    ['[{"a":1},]', /record 2 is not valid JSON/],
    ['[{"a":1}', /ends inside record 1/],
    ['[{"a":1}] x', /more text after the end/],
    ['[1}', /closed with }/],
    ['"text"', /neither an array nor an object/],
    ['{"a":1} nonsense', /ends inside record 2/],
  ])('refuses the JSON text %s for good', async (content, message) => {
    const failure = run({ content, format: 'json' });
    await expect(failure).rejects.toBeInstanceOf(FatalError);
    await expect(failure).rejects.toThrow(message);
  });

  it('names the line of a CSV row with a cell too many, and of NDJSON that is none', async () => {
    await expect(run({ content: 'a,b\n1,2\n1,2,3\n', format: 'csv' })).rejects.toThrow(/line 3/);
    await expect(run({ content: '{"a":1}\n{oops}\n', format: 'ndjson' })).rejects.toThrow(/line 2 is not valid JSON/);
  });

  it('reads a URL by its media type, and turns its errors into retries or final failures', async () => {
    const answer = (status: number, body: string, headers: Record<string, string>) =>
      createDataProcessingHandler(
        createBuiltInConfig(folder.path, {
          fetch: async (url) => ({ status, headers, body: Readable.from([Buffer.from(body)]), url }),
        }),
      );
    const payload = { url: 'https://example.test/data?key=secret' };
    const ok = await runHandler(answer(200, 'a\n1\n', { 'content-type': 'text/csv; charset=utf-8' }), payload);
    expect(ok.result).toMatchObject({ records: [{ a: 1 }] });
    await expect(runHandler(answer(404, '', {}), payload)).rejects.toThrow(
      new FatalError('https://example.test/data answered 404'),
    );
    await expect(runHandler(answer(503, '', { 'retry-after': '7' }), payload)).rejects.toBeInstanceOf(RetryLater);
    await expect(runHandler(answer(500, '', {}), payload)).rejects.not.toBeInstanceOf(FatalError);
  });

  it('refuses a file outside the allowed folders, and two inputs at once', async () => {
    await expect(run({ path: '../../etc/passwd', format: 'csv' })).rejects.toBeInstanceOf(FatalError);
    expect(DataProcessingPayload.safeParse({ records: 5, path: 'a.csv' }).success).toBe(false);
    expect(DataProcessingPayload.safeParse({ unknown: 1 }).success).toBe(false);
  });
});

describe('steps', () => {
  const names = (records: Record<string, unknown>[] | undefined) => records?.map(({ name }) => name);

  it.each([
    [{ field: 'team', value: 'red' }, ['Ada', 'Cyd']],
    [{ field: 'team', op: 'ne', value: 'red' }, ['Bob', 'Dan']],
    [{ field: 'points', op: 'gt', value: 5 }, ['Ada', 'Cyd']],
    [{ field: 'points', op: 'lte', value: '7' }, ['Bob', 'Cyd', 'Dan']],
    [{ field: 'points', op: 'in', value: [7, 10] }, ['Ada', 'Cyd']],
    [{ field: 'team', op: 'not_in', value: ['red', null] }, ['Bob']],
    [{ field: 'home.city', op: 'starts_with', value: 'p' }, ['Bob']],
    [{ field: 'home.city', op: 'contains', value: 'o' }, ['Ada', 'Cyd']],
    [{ field: 'home', op: 'exists' }, ['Ada', 'Bob', 'Cyd']],
    [{ field: 'team', op: 'missing' }, ['Dan']],
    [{ field: 'constructor', op: 'exists' }, []],
  ])('filters by %j', async (filter, expected) => {
    const { records, records_in, records_out } = await run({ records: PEOPLE, steps: [{ type: 'filter', ...filter }] });
    expect(names(records)).toEqual(expected);
    expect([records_in, records_out]).toEqual([4, expected.length]);
  });

  it('maps: computes, sets, renames, drops and keeps', async () => {
    const { records } = await run({
      records: [{ price: 1.005, quantity: 3, first: 'Ada', last: 'L', junk: 1 }],
      steps: [
        {
          type: 'map',
          compute: { total: 'round(price * quantity, 2)', who: "first + ' ' + upper(last)" },
          set: { seen: true },
        },
        { type: 'map', rename: { seen: 'checked' }, drop: ['junk'] },
        { type: 'map', keep: ['who', 'total', 'checked', 'absent'] },
      ],
    });
    expect(records).toEqual([{ who: 'Ada L', total: 3.02, checked: true, absent: null }]);
  });

  it.each([
    ['1 + 2 * 3', 7],
    ['(1 + 2) * -3', -9],
    ['10 % 4 - 1', 1],
    ['[unit price] / 2', 2],
    ['home.number + 1', 42],
    ['missing * 2', null],
    ['1 / 0', null],
    ['round(1.005, 2)', 1.01],
    ["length(trim('  ab '))", 2],
    ["'a' + 1 + 2", 'a12'],
  ])('computes %s', async (expression, expected) => {
    const { records } = await run({
      records: [{ 'unit price': 4, home: { number: 41 } }],
      steps: [{ type: 'map', compute: { out: expression } }],
    });
    expect(records?.[0]?.out).toBe(expected);
  });

  it.each(['1 +', '(1', '1 2', 'process.exit(1)', 'a ; b', '* 3', 'constructor(1)'])(
    'refuses the expression %s',
    async (expression) => {
      await expect(
        run({ records: [{}], steps: [{ type: 'map', compute: { out: expression } }] }),
      ).rejects.toBeInstanceOf(FatalError);
    },
  );

  it('cannot be made to change the prototype of records', async () => {
    expect(DataProcessingPayload.safeParse({ steps: [{ type: 'map', rename: { a: '__proto__' } }] }).success).toBe(
      false,
    );
    const { records } = await run({ content: '__proto__,a\n1,2\n', steps: [{ type: 'map', set: { b: 3 } }] });
    expect(Object.getPrototypeOf(records?.[0])).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)['1']).toBeUndefined();
  });

  it('sorts by several fields, each way, with what is absent last', async () => {
    const { records } = await run({ records: PEOPLE, steps: [{ type: 'sort', by: ['team', '-points'] }] });
    expect(names(records)).toEqual(['Bob', 'Ada', 'Cyd', 'Dan']);
  });

  it('refuses to sort more records than it may hold, and keeps the first N of any number', async () => {
    const tooMany = { generate: 250_001, steps: [{ type: 'sort', by: 'amount' }] };
    await expect(run(tooMany)).rejects.toThrow(/at most 250000 records/);
    const { records, records_in } = await run({ generate: 250_001, steps: [{ type: 'sort', by: '-id', limit: 3 }] });
    expect(records_in).toBe(250_001);
    expect(records?.map(({ id }) => id)).toEqual([250_001, 250_000, 249_999]);
  });

  it('groups with every aggregate', async () => {
    const ops = ['count', 'sum', 'avg', 'min', 'max', 'distinct'].map((op) => ({ op, field: 'points' }));
    const { records, groups } = await run({ records: PEOPLE, steps: [{ type: 'group', by: 'team', aggregates: ops }] });
    expect(groups).toBe(3);
    expect(records?.[0]).toEqual({
      team: 'red',
      points_count: 2,
      points_sum: 17,
      points_avg: 8.5,
      points_min: '7',
      points_max: 10,
      points_distinct: 2,
    });
    expect(records?.map(({ team }) => team)).toEqual(['red', 'blue', null]);
  });

  it('adds up cents without drift', async () => {
    const records = Array.from({ length: 1000 }, () => ({ cents: 0.1 }));
    const { records: out } = await run({
      records,
      steps: [{ type: 'aggregate', aggregates: [{ op: 'sum', field: 'cents', as: 'total' }] }],
    });
    expect(out).toEqual([{ total: 100 }]);
  });

  it('bounds the number of groups', async () => {
    await expect(run({ generate: 100_001, steps: [{ type: 'group', by: 'id' }] })).rejects.toThrow(
      /at most 100000 groups/,
    );
  });

  it('groups by the short form', async () => {
    const { records } = await run({ records: PEOPLE, operation: 'sum', field: 'points', group_by: 'team' });
    expect(records).toEqual([
      { team: 'red', points_sum: 17 },
      { team: 'blue', points_sum: 5 },
      { team: null, points_sum: 1 },
    ]);
  });
});

describe('outputs', () => {
  it('cuts what does not fit into a result, and says so', async () => {
    const { records, records_out, truncated, note } = await run({ generate: 20_000 });
    expect(records_out).toBe(20_000);
    expect(truncated).toBe(true);
    expect(Buffer.byteLength(JSON.stringify(records))).toBeLessThanOrEqual(200 * 1024);
    expect(records?.length).toBeGreaterThan(500);
    expect(note).toContain('of 20000 records');
  });

  it.each(['csv', 'json', 'ndjson'] as const)('writes %s that reads back the same', async (format) => {
    const rows = [
      { a: 1, b: 'x, "y"\nz', c: null },
      { a: 2.5, b: 'ü', c: true },
    ];
    const { artifact, records } = await run({ records: rows, output: { format, name: 'out' } });
    expect(records).toBeUndefined();
    expect(artifact).toMatchObject({ name: `out.${format}` });
    expect((await run({ path: `out.${format}` })).records).toEqual(rows);
  });

  it('writes an empty result as an empty file of its kind', async () => {
    const { artifact } = await run({ records: [], output: { format: 'json' } });
    expect(JSON.parse(await readFile(artifact?.path ?? '', 'utf8'))).toEqual([]);
  });

  it('warns of fields that come too late for a CSV', async () => {
    const records = [...Array.from({ length: 1000 }, () => ({ a: 1 })), { a: 1, late: 2 }];
    const { logs } = await run({ records, output: { format: 'csv' } });
    expect(logs).toMatchObject([{ level: 'warn', message: expect.stringContaining('late') }]);
  });

  it('refuses a file name that leaves the folder', () => {
    for (const name of ['../x.csv', 'a/b.csv', '..', 'a\\b']) {
      expect(DataProcessingPayload.safeParse({ output: { format: 'csv', name } }).success, name).toBe(false);
    }
  });
});

describe('progress and cancelling', () => {
  it('reports the share of the input that is done', async () => {
    const { progress } = await run({ generate: 10_000 });
    const middle = progress.find(({ message }) => message?.startsWith('5000 records read'));
    expect(middle?.percent).toBeCloseTo(48, 0);
    expect(progress.at(-1)).toEqual({ percent: 100, message: '10000 records in, 10000 out' });
  });

  it.each([{ generate: 10_000_000 }, { generate: 10_000_000, output: { format: 'ndjson' } }])(
    'stops when %j is cancelled',
    async (input) => {
      const handler = createDataProcessingHandler(createBuiltInConfig(folder.path));
      const { context, abort } = createContext(DataProcessingPayload.parse(input), { folder: folder.path });
      const reported = context.progress;
      const running = handler.run({
        ...context,
        progress: async (percent, message) => {
          if (message?.startsWith('5000 ')) abort(new Error('cancelled by a person'));
          await reported(percent, message);
        },
      });
      await expect(running).rejects.toThrow('cancelled by a person');
    },
  );
});

it('has a JSON Schema whose fields are described, for the form in the console', () => {
  const schema = z.toJSONSchema(DataProcessingPayload, { io: 'input' });
  expect(schema).toMatchObject({
    additionalProperties: false,
    properties: { steps: { description: expect.any(String) } },
  });
  expect(Object.keys(schema.properties ?? {})).toContain('records');
});
