import { beforeEach, expect, it } from 'vitest';
import { OperationWatch } from '#main/server/operation-watch';
import type { OperationRunner } from '#main/server/ports';
import type { Operation } from '#queue/contract/operation';
import type { OperationRequest } from '#queue/engine/operations';
import { operation } from '../support/api-world';

const request: OperationRequest = {
  action: 'requeue',
  ids: null,
  filter: {},
  limit: null,
  rate: null,
  priority: null,
  expectedCount: null,
  by: 'ada',
};
let stored: Map<string, Operation>;
let watch: OperationWatch;

const put = (change: Partial<Operation>) => {
  const next = operation(change);
  stored.set(next.id, next);
  return next;
};
const told = async () => (await watch.changes()).map(({ id, state, done }) => `${id} ${state} ${done}`);

beforeEach(() => {
  stored = new Map();
  const get = async (id: string) => stored.get(id) ?? null;
  const runner: OperationRunner = {
    plan: () => Promise.reject(new Error('nobody plans here')),
    start: async () => put({}),
    list: async () => [...stored.values()],
    active: async () => [...stored.values()].filter(({ state }) => state === 'running' || state === 'paused'),
    get,
    pause: async () => put({ state: 'paused' }),
    resume: get,
    abort: async () => put({ state: 'aborted' }),
  };
  watch = new OperationWatch(runner);
});

it('tells an operation of another process, each move of it, and its end', async () => {
  put({ done: 0 });
  expect(await told()).toEqual(['op-1 running 0']);
  expect(await told()).toEqual([]);
  put({ done: 5 });
  expect(await told()).toEqual(['op-1 running 5']);
  put({ done: 9, state: 'done' });
  expect(await told()).toEqual(['op-1 done 9']);
  expect(await told()).toEqual([]);
});

it('tells the end of one that was started here and ended before anyone looked', async () => {
  await watch.start(request);
  put({ state: 'done', done: 3 });
  expect(await told()).toEqual(['op-1 done 3']);
});

it('tells what was done to it through this process', async () => {
  await watch.start(request);
  await told();
  await watch.pause('op-1');
  expect(await told()).toEqual(['op-1 paused 0']);
  await watch.abort('op-1');
  expect(await told()).toEqual(['op-1 aborted 0']);
});

it('tells all of them again to those who may hold an old state, ended ones too', async () => {
  put({ id: 'op-2', state: 'running' });
  await watch.start(request);
  await told();
  put({ state: 'done', done: 3 });
  await told();
  watch.forget();
  expect((await told()).sort()).toEqual(['op-1 done 3', 'op-2 running 0']);
});

it('forgets one that is no more, and all but the newest 20 that have ended', async () => {
  put({ id: 'gone' });
  await told();
  stored.delete('gone');
  expect(await told()).toEqual([]);
  for (let n = 0; n < 30; n++) put({ id: `op-${n}` });
  await told();
  for (let n = 0; n < 30; n++) put({ id: `op-${n}`, state: 'done' });
  expect(await told()).toHaveLength(30);
  watch.forget();
  expect(await told()).toHaveLength(20);
});
