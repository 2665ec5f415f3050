/**
 * Every call to Redis of every verb of the engine, one after the other: the client dies before it, dies after it, or only
 * loses its reply, alone or while another client comes between. Afterwards another process looks after the queue, and nothing
 * may be half done.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConnectedEngine } from '#queue/engine/connect';
import type { ClaimedTask } from '#queue/engine/ports';
import { claimOne, connectTo, failure, submitAll, submitOne, workOnce } from '../support/engine';
import { engineOfFile } from '../support/engine-of-file';
import { readQueue, violations } from '../support/queue-snapshot';
import { type Fate, RedisProxy } from '../support/redis-proxy';

const { server, connected: healthy } = await engineOfFile({ emptied: true });
let proxy: RedisProxy;
beforeEach(async () => {
  proxy = await RedisProxy.before(server);
});
afterEach(() => proxy.close());

interface Verb<Prepared = unknown> {
  /** Done by the healthy process before. */
  prepare: () => Promise<Prepared>;
  run: (engine: ConnectedEngine, prepared: Prepared) => Promise<unknown>;
  /** What another client does while the first has no answer; absent: the same. */
  rival?: (engine: ConnectedEngine, prepared: Prepared) => Promise<unknown>;
  /** Opens what the client opens only when it is asked to. */
  warm?: (engine: ConnectedEngine) => Promise<unknown>;
  /** What it answers, also where it was made again because the first answer was lost. */
  answer?: unknown;
  /** What is true once it has been run to its end, or run again. */
  done: (prepared: Prepared) => Promise<void>;
}
const verb = <Prepared>(one: Verb<Prepared>): Verb => one as Verb;

const statusOf = async (id: string) => (await healthy.reader.getTasks([id]))[0]?.status ?? 'gone';
const claimed = async (): Promise<ClaimedTask> => {
  await submitOne(healthy);
  return claimOne(healthy);
};
const standByAs = ({ engine }: ConnectedEngine, nonce: string) =>
  engine.work({
    ...{ queue: 'default', workerId: 'idle', lane: '0', nonce, settles: [], want: 1, leaseMs: 10_000, types: ['noop'] },
    standby: { nonce: 'idle.h', forMs: 10_000, stood: false },
  });
const FAR = Date.now() + 86_400_000;

const VERBS: Record<string, Verb> = {
  submit: verb({
    prepare: async () => null,
    run: (engine) => submitOne(engine, { idempotencyKey: 'once', bodyHash: 'abcdef12', tags: ['x'], name: 'one' }),
    done: async () => expect((await healthy.reader.listTasks({}, { limit: 10, cursor: null })).total).toBe(1),
  }),
  'submit to a worker that stands by': verb({
    prepare: () => workOnce(healthy, { workerId: 'idle', standby: { nonce: 'idle.h', forMs: 10_000, stood: false } }),
    run: (engine) => submitOne(engine, { idempotencyKey: 'once', bodyHash: 'abcdef12' }),
    done: async () => {
      const { tasks, total } = await healthy.reader.listTasks({}, { limit: 10, cursor: null });
      expect([total, tasks[0]?.status]).toEqual([1, 'processing']);
      const { handed } = await workOnce(healthy, {
        workerId: 'idle',
        want: 0,
        standby: { nonce: 'idle.h', forMs: 0, stood: true },
      });
      expect(handed.map(({ id }) => id)).toEqual([tasks[0]?.id]);
    },
  }),
  'stand by': verb({
    prepare: async () => null,
    run: (engine) => standByAs(engine, 'same'),
    rival: (engine) => submitOne(engine),
    done: async () => {
      // Either it was there before the task came, and has it, or the task waits, or was brought by the repeated call.
      await submitOne(healthy);
      const { processing = 0, pending = 0 } = (await healthy.reader.queueState('default'))?.counts ?? {};
      expect(processing).toBe(1);
      expect(pending).toBeLessThanOrEqual(1);
    },
  }),
  'submit with a unique key': verb({
    prepare: async () => null,
    run: (engine) => submitOne(engine, { uniqueKey: 'only' }).catch(refusedAsDuplicate),
    done: async () => expect((await healthy.reader.listTasks({}, { limit: 10, cursor: null })).total).toBe(1),
  }),
  'submit of a task that depends on others': verb({
    prepare: () => submitAll(healthy, [{ queue: 'parents' }, { queue: 'parents' }]),
    run: (engine, dependsOn) => submitOne(engine, { dependsOn, idempotencyKey: 'child', bodyHash: 'abcdef12' }),
    done: async () => {
      for (const queue of ['parents', 'parents']) {
        const { id, token } = await claimOne(healthy, { queue });
        await workOnce(healthy, { queue, want: 0, settles: [{ kind: 'complete', id, token, result: '1' }] });
      }
      await tickAll();
      const { tasks } = await healthy.reader.listTasks({ queue: 'default' }, { limit: 10, cursor: null });
      expect(tasks.map(({ status }) => status)).toEqual(['pending']);
    },
  }),
  'submit that waits for the disk': verb({
    prepare: () =>
      healthy.store.command('sync always', (redis) => redis.call('CONFIG', 'SET', 'appendfsync', 'always')),
    warm: (engine) => submitOne(engine, { durability: 'fsync', queue: 'warm' }),
    run: (engine) => submitOne(engine, { durability: 'fsync', idempotencyKey: 'safe', bodyHash: 'abcdef12' }),
    done: async () =>
      expect((await healthy.reader.listTasks({ queue: 'default' }, { limit: 10, cursor: null })).total).toBe(1),
  }),
  claim: verb({
    prepare: () => submitAll(healthy, [{}, {}, {}]),
    run: (engine) => workOnce(engine, { want: 2, nonce: 'same' }),
    rival: (engine) => workOnce(engine, { want: 2, workerId: 'w2', nonce: 'theirs' }),
    done: async () => {
      const { processing = 0, pending = 0 } = (await healthy.reader.queueState('default'))?.counts ?? {};
      expect([processing + pending, processing]).toEqual([3, expect.toBeOneOf([2, 3])]);
    },
  }),
  complete: verb({
    prepare: claimed,
    run: (engine, { id, token }) =>
      workOnce(engine, { want: 0, nonce: 'same', settles: [{ kind: 'complete', id, token, result: '1' }] }),
    done: async ({ id }) => expect(await statusOf(id)).toBe('completed'),
  }),
  fail: verb({
    prepare: claimed,
    run: (engine, { id, token }) =>
      workOnce(engine, {
        want: 0,
        nonce: 'same',
        settles: [{ kind: 'fail', id, token, retryInMs: 60_000, error: failure() }],
      }),
    rival: (engine, { id, token }) =>
      workOnce(engine, { want: 0, lane: '1', settles: [{ kind: 'complete', id, token, result: '1' }] }),
    done: async ({ id }) => {
      const [task] = await healthy.reader.getTasks([id]);
      expect([task?.status, task?.attempts]).toEqual([expect.toBeOneOf(['retrying', 'completed']), 1]);
    },
  }),
  extend: verb({
    prepare: claimed,
    run: (engine, { id, token }) => engine.engine.extend('default', [{ id, token }], 10_000),
    done: async ({ id }) => expect(await statusOf(id)).toBe('processing'),
  }),
  report: verb({
    prepare: claimed,
    run: (engine, { id, token }) =>
      engine.engine.report('default', [{ id, token, progress: { percent: 7, message: null }, logs: [] }]),
    done: async ({ id }) => expect((await healthy.reader.getTasks([id]))[0]?.progress).toBe(7),
  }),
  cancel: verb({
    prepare: () => submitOne(healthy),
    run: (engine, id) => engine.engine.cancel([id], 'test'),
    answer: ['cancelled'],
    done: async (id) => expect(await statusOf(id)).toBe('cancelled'),
  }),
  requeue: verb({
    prepare: async () => {
      const id = await submitOne(healthy, { uniqueKey: 'only' });
      await healthy.engine.cancel([id], 'test');
      return id;
    },
    run: (engine, id) => engine.engine.requeue([id]),
    answer: ['requeued'],
    done: async (id) => expect(await statusOf(id)).toBe('pending'),
  }),
  remove: verb({
    prepare: () => submitOne(healthy),
    run: (engine, id) => engine.engine.remove([id]),
    answer: ['removed'],
    done: async (id) => expect(await statusOf(id)).toBe('gone'),
  }),
  patch: verb({
    prepare: () => submitOne(healthy, { name: 'old', tags: ['a'] }),
    run: (engine, id) => engine.engine.patch(id, { name: 'new', tags: ['b'], priority: 9, runAt: FAR }),
    done: async (id) =>
      expect((await healthy.reader.getTasks([id]))[0]).toMatchObject({ name: 'new', tags: ['b'], status: 'scheduled' }),
  }),
  pause: verb({
    prepare: async () => null,
    run: (engine) => engine.engine.pause('default'),
    done: async () => expect((await healthy.reader.queueState('default'))?.paused).toBe(true),
  }),
  'set limits': verb({
    prepare: async () => null,
    run: (engine) => engine.engine.setLimits('default', { concurrency: 3, rate: { max: 4, perMs: 1000 } }),
    done: async () => expect((await healthy.reader.queueState('default'))?.limits).toMatchObject({ concurrency: 3 }),
  }),
  purge: verb({
    prepare: () => submitAll(healthy, [{}, {}, { runAt: FAR }]),
    run: (engine) => engine.engine.purge('default'),
    done: async () =>
      expect((await healthy.reader.queueState('default'))?.counts).toMatchObject({ pending: 0, scheduled: 0 }),
  }),
  'tick that tells a dependant': verb({
    prepare: async () => {
      const parent = await submitOne(healthy, { queue: 'parents' });
      const child = await submitOne(healthy, { dependsOn: [parent] });
      const { id, token } = await claimOne(healthy, { queue: 'parents' });
      await workOnce(healthy, { queue: 'parents', want: 0, settles: [{ kind: 'complete', id, token, result: '1' }] });
      return child;
    },
    run: (engine) => engine.engine.tick('parents'),
    done: async (child) => expect(await statusOf(child)).toBe('pending'),
  }),
};

function refusedAsDuplicate(error: unknown): void {
  if (!(error instanceof Error) || !/holds the unique key/.test(error.message)) throw error;
}

/** Its patience is a millisecond: a connection that opens is asked again. */
async function untilDone(act: () => Promise<unknown> | undefined): Promise<void> {
  await expect
    .poll(
      async () =>
        act()?.then(
          () => true,
          () => false,
        ),
      { timeout: 5000 },
    )
    .toBe(true);
}

/** By a process that has just begun: one that runs looks for half-made tasks every five seconds only. */
async function tickAll(): Promise<void> {
  const other = connectTo(server);
  await other.whenReady(5000);
  for (const queue of await other.registry.physicalNames()) await other.engine.tick(queue);
  await other.close();
}

async function noRuleBroken(): Promise<void> {
  for (const queue of await healthy.registry.physicalNames()) {
    const found = await healthy.store.command('read it all', (redis) => readQueue(redis, healthy.store.keys, queue));
    expect(violations(found)).toEqual([]);
  }
}

describe.each(Object.keys(VERBS))('%s', (name) => {
  const one = VERBS[name];
  if (one === undefined) throw new Error('no such verb');

  /** Runs it through the proxy with this fate for its k-th command. @returns whether there was such a one, and how it ended */
  const faulty = async (k: number, fate: Fate, patienceMs: number, then?: (prepared: unknown) => void) => {
    await healthy.store.command('flush', (redis) => redis.flushall());
    const prepared = await one.prepare();
    const client = connectTo(proxy, { patienceMs });
    await client.whenReady(5000);
    if (one.warm !== undefined) await untilDone(() => one.warm?.(client));
    const first = proxy.commands;
    let reached = false;
    proxy.onCommand = (n) => {
      if (n - first !== k) return 'pass';
      reached = true;
      then?.(prepared);
      return fate;
    };
    const [ended] = await Promise.allSettled([one.run(client, prepared)]);
    proxy.onCommand = () => 'pass';
    await client.close();
    expect(k).toBeLessThan(60);
    return { prepared, reached, ended };
  };

  it.each(['cut', 'lose'] as const)('is whole when its client dies: each call %s', async (fate) => {
    for (let k = 1, more = true; more; k++) {
      const { prepared, reached, ended } = await faulty(k, fate, 1);
      more = reached;
      if (!reached) expect(ended.status).toBe('fulfilled');
      await tickAll();
      await noRuleBroken();
      await one.run(healthy, prepared); // whoever asked for it asks again
      await one.done(prepared);
      await noRuleBroken();
    }
  });

  it.each(['cut', 'lose'] as const)('happens once while another client comes between: each call %s', async (fate) => {
    for (let k = 1, more = true; more; k++) {
      let between: Promise<unknown> = Promise.resolve();
      const { prepared, reached, ended } = await faulty(k, fate, 10_000, (mine) => {
        between = (one.rival ?? one.run)(healthy, mine);
      });
      more = reached;
      await between;
      expect(ended.status).toBe('fulfilled');
      await one.done(prepared);
      await noRuleBroken();
    }
  });

  it('happens once when a reply is lost, and the call is answered all the same', async () => {
    for (let k = 1, more = true; more; k++) {
      const { prepared, reached, ended } = await faulty(k, 'lose', 10_000);
      more = reached;
      expect(ended).toMatchObject({ status: 'fulfilled', ...(one.answer === undefined ? {} : { value: one.answer }) });
      await one.done(prepared);
      await noRuleBroken();
    }
  });
});
