/** What scripts cost in Redis by themselves: the time inside of EVALSHA, without the way there. */
import type { Redis } from 'ioredis';
import { LIMITS } from '#queue/contract/limits';
import type { ConnectedEngine } from '#queue/engine/connect';
import type { ClaimedTask, ReadFilter } from '#queue/engine/ports';
import { randomName } from '#queue/kernel/ids';
import { prune } from '#queue/redis/scripts/prune';
import { taskSpec } from '../tests/support/engine';
import type { RedisServer } from '../tests/support/redis-server';
import { MillraceSubject } from './millrace-subject';
import type { Figures } from './report';
import { inTurn, PAYLOAD, priorityOf } from './subject';

const QUEUE = 'scripts';
const TASKS = 20_000;
const LEASE_MS = 60_000;
const HELD = 100;
const CALLS = 200;
const payload = JSON.stringify(PAYLOAD);
export const specOf = (index: number) => taskSpec({ queue: QUEUE, type: 'noop', payload, priority: priorityOf(index) });

export const SCRIPTS = 'script';

export async function measureScripts(server: RedisServer, redis: Redis, figures: Figures): Promise<void> {
  const subject = new MillraceSubject(server);
  const { connected } = subject;
  await connected.whenReady(5000);
  const { engine, reader } = connected;
  /** Microseconds inside of scripts, divided by `count`. */
  const measure = async (what: string, count: number, run: () => Promise<unknown>) => {
    await redis.config('RESETSTAT');
    await run();
    const spent = /cmdstat_evalsha:calls=\d+,usec=(\d+)/.exec(await redis.info('commandstats'))?.[1];
    figures.add(`${SCRIPTS}: ${what}`, 'µs', Number(spent) / count);
  };

  for (const size of [1, 25, LIMITS.submitPart]) {
    await redis.flushall();
    const calls = Math.ceil(Math.min(TASKS, size * 4000) / size);
    await measure(`a task submitted, in calls of ${size}`, calls * size, () =>
      inTurn(calls, 2, (call) => engine.submitMany(Array.from({ length: size }, (_, n) => specOf(call * size + n)))),
    );
  }
  const page = (by: string, filter: ReadFilter) =>
    measure(`a page of 100 by ${by}`, CALLS, () =>
      inTurn(CALLS, 1, () => reader.listTasks(filter, { limit: 100, cursor: null })),
    );
  await page('status pending', { status: ['pending'] });
  await page('type', { task_type: 'noop' });
  for (const size of [1, 25, 100]) {
    await redis.flushall();
    await engine.submitMany(Array.from({ length: TASKS }, (_, n) => specOf(n)));
    const calls = Math.min(Math.ceil(TASKS / size), 4000);
    await measure(`a task claimed and completed, in calls of ${size}`, calls * size, () =>
      settleAndClaim(connected, size, calls),
    );
  }
  await page('status completed', { status: ['completed'] });
  const held = await claim(connected, HELD, []);
  await measure(`a lease extended, in calls of ${HELD}`, CALLS * HELD, () =>
    inTurn(CALLS, 1, () => engine.extend(QUEUE, held, LEASE_MS)),
  );
  await measure('a tick with nothing to do', CALLS, () => inTurn(CALLS, 1, () => engine.tick(QUEUE)));
  const ended = await age(connected);
  await measure(`a task removed by retention, in calls of ${LIMITS.sweepBatch}`, ended, () => removeAll(connected));
  await subject.close();
}

/** As a worker does it: each call settles what the one before it claimed. */
export async function settleAndClaim(connected: ConnectedEngine, size: number, calls: number): Promise<void> {
  let done: ClaimedTask[] = [];
  for (let call = 0; call < calls; call++) done = await claim(connected, size, done);
}

async function claim({ engine }: ConnectedEngine, want: number, done: readonly ClaimedTask[]): Promise<ClaimedTask[]> {
  const { claimed } = await engine.work({
    queue: QUEUE,
    workerId: 'w1',
    lane: '0',
    nonce: randomName('n'),
    want,
    leaseMs: LEASE_MS,
    types: ['noop'],
    settles: done.map(({ id, token }) => ({ kind: 'complete', id, token, result: 'null' })),
  });
  return claimed;
}

/** Retention leaves alone what has ended just now. @returns how many have ended, long ago from now on */
async function age({ store }: ConnectedEngine): Promise<number> {
  const set = store.keys.of(QUEUE, 'completed');
  const ids = await store.command('ended', (redis) => redis.zrange(set, '0', '-1'));
  await store.command('age', (redis) => Promise.all(ids.map((id, index) => redis.zadd(set, index, id))));
  return ids.length;
}

async function removeAll({ store }: ConnectedEngine): Promise<void> {
  const none = { completed: 0, failed: 0, cancelled: 0 };
  const input = { limit: LIMITS.sweepBatch, retention: { count: none, ageMs: none, bytes: 0 } };
  while ((await store.run(prune, QUEUE, input)) > 0);
}
