import { expect, it } from 'vitest';
import { childrenOf, pathText, rootOf } from '../../src-renderer/stores/json-outline';
import { logFile, logRows } from '../../src-renderer/stores/log-rows';
import { PayloadTree } from '../../src-renderer/stores/payload-tree.svelte';
import { readStack } from '../../src-renderer/stores/stack-lines';

it('reads JSON in place: numbers as written, names and texts with anything in them', () => {
  const text = '{ "a": 10000000000000000001, "b\\"]": ["x,]}", -1.50e+3, {}], "c": null }';
  const [a, b, c] = childrenOf(text, rootOf(text));
  expect(text.slice(a?.from, a?.to)).toBe('10000000000000000001');
  expect([b?.key, b?.kind, c?.kind]).toEqual(['b"]', 'array', 'word']);
  const inner = b === undefined ? [] : childrenOf(text, b).map(({ from, to }) => text.slice(from, to));
  expect(inner).toEqual(['"x,]}"', '-1.50e+3', '{}']);
  expect(pathText(['order', 'lines', 0, 'a b'])).toBe('order.lines[0]["a b"]');
});

it('opens a small payload whole, a large one not, and parts when they are asked for', () => {
  expect(new PayloadTree('{"a":{"b":[1,2]}}').lines.map(({ keys }) => pathText(keys))).toEqual([
    'a',
    'a.b',
    'a.b[0]',
    'a.b[1]',
  ]);
  const large = new PayloadTree(JSON.stringify({ rows: Array.from({ length: 20_000 }, (_, n) => ({ n })) }));
  expect(large.lines).toHaveLength(1);
  const [rows] = large.lines;
  if (rows !== undefined) large.toggle(rows.node);
  expect(large.lines).toHaveLength(20_001);
});

it('keeps own frames of a stack in sight and folds those of libraries', () => {
  const stack = [
    'Error: read ECONNRESET',
    '    at PspClient.capture (/srv/app/psp/client.ts:118:9)',
    '    at async fetch (/srv/app/node_modules/undici/lib/fetch.js:1:2)',
    '    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)',
    '    at file:///srv/app/handlers/charge.ts:47:3',
  ].join('\n');
  expect(readStack(stack)).toMatchObject([
    { kind: 'own', frame: { name: 'PspClient.capture', place: 'psp/client.ts:118' } },
    { kind: 'library', frames: [{ name: 'fetch' }, {}], packages: ['undici', 'node'] },
    { kind: 'own', frame: { name: '', place: 'handlers/charge.ts:47' } },
  ]);
});

it('tells where the frames of the error begin that led to it', () => {
  const stack =
    'Error: a\n    at run (/srv/h/a.ts:1:2)\nCaused by: Error: b\nmore\n    at async file:///srv/h/b.ts:3:4';
  expect(readStack(stack)).toMatchObject([
    { kind: 'own', frame: { place: 'h/a.ts:1' } },
    { kind: 'cause', text: 'Caused by: Error: b\nmore' },
    { kind: 'own', frame: { name: '', place: 'h/b.ts:3' } },
  ]);
  expect(readStack('Error: a\nCaused by: NonError: b')).toEqual([{ kind: 'cause', text: 'Caused by: NonError: b' }]);
});

const line = (message: string, level: 'info' | 'error' = 'info', attempt = 1) => ({
  at: '2026-11-22T12:00:00.000Z',
  level,
  attempt,
  message,
});

it('takes terminal colours out of a log, breaks its lines, and filters by level, attempt and words', () => {
  const lines = [line('\u001b[32mgreen\u001b[0m\nsecond'), line('bad', 'error', 2)];
  const all = { level: 'debug', attempt: null, words: '' } as const;
  expect(logRows(lines, all).map(({ text, goesOn }) => [text, goesOn])).toEqual([
    ['green', false],
    ['second', true],
    ['bad', false],
  ]);
  expect(logRows(lines, { ...all, level: 'warn' })).toHaveLength(1);
  expect(logRows(lines, { ...all, attempt: 2 })).toHaveLength(1);
  expect(logRows(lines, { ...all, words: 'GREEN' })).toHaveLength(2);
  expect(logFile(lines)).toBe('2026-11-22T12:00:00.000Z info  1 green\nsecond\n2026-11-22T12:00:00.000Z error 2 bad\n');
});
