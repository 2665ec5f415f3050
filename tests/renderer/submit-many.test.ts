import { expect, it, vi } from 'vitest';
import { ManyLoader } from '../../src-renderer/loaders/many-loader';
import { ApiClient } from '../../src-renderer/net/api-client';
import { columnsFault, type RowTerms, readRow } from '../../src-renderer/stores/many-rows';
import { ManyStore } from '../../src-renderer/stores/many-store.svelte';
import { CsvSplitter, LineSplitter, type RowSplitter } from '../../src-renderer/stores/row-splitter';
import { rejectedText, submitWords } from '../../src-renderer/views/submit/many-words';
import { idOf } from '../support/wire';
import { TestTime } from './support';

/** Handed over a few characters at a time, as pieces may end anywhere. */
function split(splitter: RowSplitter, text: string) {
  const rows = (text.match(/[\s\S]{1,3}/g) ?? []).flatMap((part) => splitter.feed(part));
  return [...rows, ...splitter.end()];
}

it('cuts JSON Lines wherever the pieces end; empty lines count, and are no rows', () => {
  const rows = split(new LineSplitter(), '\uFEFF{"a":1}\r\n\n{"b":2}');
  expect(rows.map(({ line, text }) => [line, text])).toEqual([
    [1, '{"a":1}'],
    [3, '{"b":2}'],
  ]);
});

it('cuts a CSV: quotes, commas and line breaks in cells, the line where each row begins', () => {
  const rows = split(new CsvSplitter(), 'a,b\r\n"x, ""y""",\n\n"two\nlines",z\n');
  expect(rows.map(({ line, cells }) => [line, cells])).toEqual([
    [1, ['a', 'b']],
    [2, ['x, "y"', '']],
    [4, ['two\nlines', 'z']],
  ]);
});

it('gives up on a row that does not end, instead of holding the whole file', () => {
  expect(() => new CsvSplitter().feed(`a\n"${'x'.repeat(1024 * 1024 + 1)}`)).toThrow('The row of line 2 does not end');
  expect(() => new LineSplitter().feed('x'.repeat(1024 * 1024 + 1))).toThrow('The row of line 1 does not end');
});

const terms = (change: Partial<RowTerms> = {}): RowTerms => ({
  format: 'jsonl',
  columns: [],
  type: '',
  queue: '',
  schemaOf: () => null,
  ...change,
});
const jsonl = (text: string, change: Partial<RowTerms> = {}) => readRow({ line: 1, text, cells: [] }, terms(change));
const csv = (columns: string, cells: string[], change: Partial<RowTerms> = {}) =>
  readRow({ line: 1, text: '', cells }, terms({ format: 'csv', columns: columns.split(','), ...change }));

it('reads a row as its task; what the row names wins over what is filled in for all', () => {
  expect(jsonl('{"task_type":"email"}', { type: 'other', queue: 'mail' })).toEqual({
    task: { task_type: 'email', queue: 'mail' },
  });
  expect(jsonl('{}', { type: 'email' })).toEqual({ task: { task_type: 'email' } });
  expect(
    csv('task_type,priority,tags,payload.to,payload.vars.n,payload.zip,payload.on', [
      'email',
      '8',
      'a;b',
      'x',
      '2',
      '01234',
      'true',
    ]),
  ).toEqual({
    task: {
      task_type: 'email',
      priority: 8,
      tags: ['a', 'b'],
      payload: { to: 'x', vars: { n: 2 }, zip: '01234', on: true },
    },
  });
});

it('takes the kind of a cell from the schema of its type where there is one', () => {
  const schemaOf = (type: string) =>
    type === 'email' ? { properties: { code: { type: 'string' }, n: { type: 'integer' } } } : null;
  expect(csv('task_type,payload.code,payload.n', ['email', '77', '7'], { schemaOf })).toMatchObject({
    task: { payload: { code: '77', n: 7 } },
  });
  expect(csv('task_type,payload.code,payload.n', ['other', '77', ''], { schemaOf })).toMatchObject({
    task: { payload: { code: 77 } },
  });
});

it.each([
  ['{"task_type":', 'is not JSON'],
  ['[1]', 'is no JSON object'],
  ['{}', 'task_type is required'],
  ['{"task_type":"email","priority":11}', 'priority: must be 1 to 10'],
  ['{"task_type":"email","colour":1}', 'colour'],
  ['{"task_type":"email","payload":{"n":12345678901234567890}}', 'has more digits'],
  ['{"task_type":"email","payload":{"a":{"__proto__":1}}}', '__proto__'],
])('says what is wrong with %s', (text, words) => {
  expect(jsonl(text)).toEqual({ fault: expect.stringContaining(words) });
});

it('says what is wrong with cells and columns', () => {
  expect(csv('task_type,queue', ['email'])).toEqual({ fault: 'has 1 cells, the first line has 2' });
  expect(csv('task_type,priority', ['email', 'high'])).toEqual({ fault: expect.stringContaining('priority') });
  expect(columnsFault(['task_type', 'to'])).toBe('No field is called "to"');
  expect(columnsFault(['task_type', 'task_type'])).toBe('The column task_type is there twice');
  expect(columnsFault(['task_type', 'payload', 'payload.a.b', 'unique_key'])).toBe('');
});

it('wants words as the connection does', () => {
  expect(submitWords('confirm', 12, 'mail')).toBe('mail');
  expect(submitWords('guarded', 12, 'mail')).toBe('submit 12 mail');
  expect(submitWords('confirm', 12, null)).toBe('submit 12 tasks');
});

type Answer = (tasks: { payload: { n: number } }[], call: number) => { status: number; body: unknown };
const accept: Answer = (tasks) => ({
  status: 201,
  body: { accepted: tasks.length, rejected: 0, ids: tasks.map((_, n) => idOf(n)), errors: [] },
});

function world(text: string, answer: Answer = accept, format: 'jsonl' | 'csv' = 'jsonl') {
  const sent: { payload: { n: number } }[][] = [];
  const fetch = vi.fn(async (_: unknown, init?: RequestInit) => {
    const { tasks } = JSON.parse(String(init?.body));
    sent.push(tasks);
    const { status, body } = answer(tasks, sent.length);
    return new Response(JSON.stringify(body), { status });
  });
  const api = new ApiClient({
    baseUrl: 'http://127.0.0.1:8000/',
    fetch: fetch as typeof globalThis.fetch,
    token: () => null,
    onUnauthenticated: vi.fn(),
  });
  const store = new ManyStore();
  const loader = new ManyLoader(api, store, new TestTime(), () => null);
  store.choose(new File([text], `tasks.${format}`), format);
  return { store, loader, sent };
}
const lines = (count: number) =>
  Array.from({ length: count }, (_, n) => `{"task_type":"email","payload":{"n":${n}}}`).join('\n');

it('looks through a file without sending any of it', async () => {
  const { store, loader, sent } = world(`${lines(30)}\nnonsense\n`);
  await loader.look();
  expect(sent).toEqual([]);
  expect(store).toMatchObject({ phase: 'ready', rows: 31, valid: 30, rejectedCount: 1, queues: { default: 30 } });
  expect(store.preview).toHaveLength(20);
  expect(store.rejects[0]).toMatchObject({ line: 31, text: 'nonsense' });
});

it('sends every row once, in order, in chunks of at most 1000; rows with a fault are not sent', async () => {
  const { store, loader, sent } = world(`${lines(1500)}\nnonsense\n${lines(1000)}`);
  await loader.look();
  await loader.send();
  expect(sent.map((chunk) => chunk.length)).toEqual([1000, 999, 501]);
  expect(sent.flat().map(({ payload }) => payload.n)).toEqual([...Array(1500).keys(), ...Array(1000).keys()]);
  expect(store).toMatchObject({ phase: 'done', accepted: 2500, rejectedCount: 1, handled: 2501, rows: 2501 });
});

it("sets the server's verdict at the line of the file, and saves such rows as they stood there", async () => {
  const { store, loader } = world(`nonsense\n${lines(3)}`, (tasks) => ({
    status: 201,
    body: {
      accepted: tasks.length - 1,
      rejected: 1,
      ids: [idOf(1), null, idOf(2)],
      errors: [{ index: 1, message: 'unique_key is taken' }],
    },
  }));
  await loader.look();
  await loader.send();
  expect(store.rejects.map(({ line, fault }) => [line, fault])).toEqual([
    [1, expect.stringContaining('not JSON')],
    [3, 'unique_key is taken'],
  ]);
  expect(rejectedText(store.rejects, 'jsonl', [])).toBe('nonsense\n{"task_type":"email","payload":{"n":1}}\n');
});

it('stops behind the request under way, and goes on with the rest', async () => {
  const made = world(lines(2500), (tasks, call) => {
    if (call === 1) made.loader.stop();
    return accept(tasks, call);
  });
  await made.loader.look();
  await made.loader.send();
  expect(made.store).toMatchObject({ phase: 'stopped', handled: 1000, accepted: 1000 });
  await made.loader.send();
  expect(made.store).toMatchObject({ phase: 'done', handled: 2500, accepted: 2500 });
  expect(made.sent.flat().map(({ payload }) => payload.n)).toEqual([...Array(2500).keys()]);
});

it('tells which rows may be stored where the server fails, not where it refuses', async () => {
  let status = 500;
  const { store, loader } = world(lines(1500), (tasks, call) =>
    call === 2 ? { status, body: { title: 'Broken' } } : accept(tasks, call),
  );
  await loader.look();
  await loader.send();
  expect(store).toMatchObject({ phase: 'stopped', handled: 1000, unsure: { from: 1001, to: 1500 } });
  status = 429;
  await loader.look();
  await loader.send();
  expect(store).toMatchObject({ phase: 'done', accepted: 1500, unsure: null });
});

it('reads a CSV, and refuses columns that name nothing', async () => {
  const good = world('task_type,payload.n\nemail,1\nemail,2\n', accept, 'csv');
  await good.loader.look();
  await good.loader.send();
  expect(good.sent).toEqual([
    [
      { task_type: 'email', payload: { n: 1 } },
      { task_type: 'email', payload: { n: 2 } },
    ],
  ]);
  const bad = world('type\nemail\n', accept, 'csv');
  await bad.loader.look();
  expect(bad.store).toMatchObject({ phase: 'stopped', rows: 0, error: { message: 'No field is called "type".' } });
});
