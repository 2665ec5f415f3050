import { describe, expect, it } from 'vitest';
import { LIMITS } from '#queue/contract/limits';
import { packageOf, stackFrames, topFrame } from '#queue/contract/stack-frames';
import { comparePayloads } from '#queue/engine/payload-compare';
import { normalisedMessage, sharedMessage } from '#queue/kernel/varying-text';

const STACK = [
  'Error: read ECONNRESET',
  '    at TLSSocket.onread (node:internal/stream_base_commons:217:20)',
  '    at async PspClient.capture (file:///srv/app/psp/client.ts:118:11)',
  '    at /srv/app/node_modules/undici/lib/fetch.js:9:1',
  '    at <anonymous>',
  'Caused by: Error: inner',
  '    at inner (/srv/app/inner.ts:1:1)',
].join('\n');

it('a stack is taken apart into its own frames, those of libraries told apart', () => {
  const frames = stackFrames(STACK);
  expect(frames.map(({ function: name, file, line, in_app }) => [name, file, line, in_app])).toEqual([
    ['TLSSocket.onread', 'node:internal/stream_base_commons', 217, false],
    ['PspClient.capture', '/srv/app/psp/client.ts', 118, true],
    [null, '/srv/app/node_modules/undici/lib/fetch.js', 9, false],
    [null, null, null, false],
  ]);
  expect(frames[3]?.text).toBe('at <anonymous>');
  expect(topFrame(frames)?.line).toBe(118);
  expect(stackFrames(null)).toEqual([]);
  expect(topFrame([])).toBeNull();
});

it('a message keeps what is the same for every failure', () => {
  expect(normalisedMessage('connect to http://a/b of 01KA9Z6Q0MB0Q3T5V7X9YABCDE took 12.5 s')).toBe(
    'connect to <url> of <id> took # s',
  );
});

it.each([
  ['one failure speaks for itself', ['429 of /srv/a/b'], '429 of /srv/a/b'],
  ['a number that all have stays', ['HTTP 429 after 12 ms', 'HTTP 429 after 7 ms'], 'HTTP 429 after ‹n› ms'],
  ['a text that varies is marked as a whole', ["no user 'a b' 1", "no user 'a c' 1"], 'no user ‹text› ‹n›'],
  ['messages of another build are told by the first', ['task 12 is gone', 'task 7 was cancelled'], 'task ‹n› is gone'],
  ['a mark in the message is no mark of ours', ['issue # 4', 'issue # 5'], 'issue # ‹n›'],
  ['none says nothing', [], ''],
])('of failures with one cause: %s', (_, messages, shared) => {
  expect(sharedMessage(messages)).toBe(shared);
});

describe('payloads', () => {
  it('are compared by path, two levels deep', () => {
    const of = (n: number) => ({ provider: 'psp', amount: n, order: { id: `o${n}`, deep: { x: 1 } }, list: [1] });
    expect(comparePayloads([of(4), of(1), of(10), { provider: 'psp', note: 'x' }])).toEqual([
      { path: 'provider', kind: 'same', present_in: 4, value: 'psp', cut: false },
      { path: 'amount', kind: 'number_range', present_in: 3, distinct: 3, min: 1, median: 4, max: 10 },
      { path: 'order.id', kind: 'different', present_in: 3, distinct: 3 },
      { path: 'order.deep', kind: 'same', present_in: 3, value: { x: 1 }, cut: false },
      { path: 'list', kind: 'same', present_in: 3, value: [1], cut: false },
      { path: 'note', kind: 'same', present_in: 1, value: 'x', cut: false },
    ]);
  });

  it('have the median between the two in the middle, and no range where not all are numbers', () => {
    expect(comparePayloads([{ a: 1 }, { a: 2 }])).toMatchObject([{ median: 1.5 }]);
    expect(comparePayloads([{ a: 1 }, { a: '2' }])).toMatchObject([{ kind: 'different', distinct: 2 }]);
  });

  it('are shown within bounds', () => {
    const wide = Object.fromEntries(Array.from({ length: LIMITS.groupPaths + 1 }, (_, n) => [`k${n}`, n]));
    expect(comparePayloads([wide])).toHaveLength(LIMITS.groupPaths);
    const long = 'x'.repeat(LIMITS.groupValueChars - 2);
    expect(comparePayloads([{ a: long }])).toMatchObject([{ value: long, cut: false }]);
    const [cut] = comparePayloads([{ a: `${long}x` }]);
    expect(cut).toMatchObject({ cut: true, value: `"${long}x` });
  });
});

it('takes the frames of this program, built as it is, for no part of the handler', () => {
  const stack = [
    'PayloadError: payload.to: expected string',
    '    at accepted (/opt/millrace/resources/app.asar/out/main/chunk-run-worker-DKjEtUC-.js:79866:8)',
    '    at Object.run (/srv/handlers/charge.ts:21:5)',
  ].join('\n');
  expect(stackFrames(stack).map((frame) => frame.in_app)).toEqual([false, true]);
  expect(topFrame(stackFrames(stack))).toMatchObject({ file: '/srv/handlers/charge.ts', line: 21 });
});

it('reads frames without a name and names without a place; `async` is no part of either', () => {
  const stack = [
    'Error: x',
    '    at async Promise.all (<anonymous>)',
    '    at async node:internal/modules/run_main:117:5',
    '    at async file:///srv/handlers/charge.ts:47:3',
  ].join('\n');
  expect(stackFrames(stack).map(({ function: name, file, in_app }) => [name, file, in_app])).toEqual([
    ['Promise.all', null, false],
    [null, 'node:internal/modules/run_main', false],
    [null, '/srv/handlers/charge.ts', true],
  ]);
});

it.each([
  ['/srv/handlers/charge.ts', null],
  ['/srv/out/main/deep/charge.js', null],
  ['/opt/millrace/node_modules/app/out/main/cli.js', 'millrace'],
  ['node:internal/process/task_queues', 'node'],
  ['node:fs/promises', 'node:fs'],
  [null, 'node'],
  ['/srv/node_modules/.pnpm/undici@7/node_modules/undici/lib/fetch.js', 'undici'],
  ['C:\\srv\\node_modules\\@scope\\name\\index.js', '@scope/name'],
])('the file %s is of the package %s', (file, name) => {
  expect(packageOf(file)).toBe(name);
});
