import { describe, expect, it } from 'vitest';
import { logicalQueue, logicalQueues, shardName, shardNumber, shardOfKey } from '#queue/kernel/shard-name';
import { eventually, held, settled, workerWorlds } from '../support/worker-world';

const { running } = workerWorlds();

describe('the name of a shard', () => {
  it('is the name of the queue, and a number but for the first', () => {
    expect([0, 1, 63].map((shard) => shardName('q', shard))).toEqual(['q', 'q#1', 'q#63']);
    expect(['q', 'q#1', 'q#63'].map(logicalQueue)).toEqual(['q', 'q', 'q']);
    expect(['q', 'q#1', 'q#63'].map(shardNumber)).toEqual([0, 1, 63]);
    expect(logicalQueues(['b#1', 'a', 'b', 'b#2'])).toEqual(['b', 'a']);
  });

  it('is the same for a key in every version', () => {
    expect(['k-0', 'k-1', 'k-2', 'order:17', 'ü'].map((key) => shardOfKey(key, 64))).toEqual([16, 49, 18, 5, 61]);
    expect(shardOfKey('k-1', 1)).toBe(0);
    const used = new Set(Array.from({ length: 1000 }, (_, n) => shardOfKey(`key ${n}`, 16)));
    expect(used.size).toBe(16);
  });
});

describe('a worker that names a queue', () => {
  it('serves the shards that it is told of, as soon as it is told', async () => {
    const queues: string[] = [];
    const { engine, clock, worker, directory } = await running({
      config: { queues: [{ name: 'hot' }] },
      run: ({ task }) => void queues.push(task.queue),
    });
    await settled();
    const at = clock.now();
    const early = engine.add({ queue: 'hot#1' });
    await settled();
    expect(early.status).toBe('pending');
    engine.tellOfShard('hot#1');
    await eventually(() => early.status === 'completed');
    const late = engine.add({ queue: 'hot#1' });
    const first = engine.add({ queue: 'hot' });
    await eventually(() => late.status === 'completed' && first.status === 'completed');
    expect(queues).toEqual(['hot', 'hot', 'hot']);
    expect(clock.now()).toBe(at);
    await worker.stop();
    expect(directory.beats.at(-1)?.queues).toEqual([{ name: 'hot', weight: 1 }]);
  });

  it('keeps leases in the shard, and tells everybody of the queue', async () => {
    const handler = held();
    const { engine, clock, directory } = await running({
      run: handler.run,
      config: { queues: [{ name: 'hot' }], leaseMs: 4_000 },
    });
    engine.tellOfShard('hot#1');
    engine.add({ queue: 'hot#1' });
    await eventually(() => handler.running === 1);
    for (let i = 0; i < 20; i++) {
      await clock.advance(500);
      expect(engine.reap()).toEqual([]);
    }
    expect(new Set(engine.extended.map(({ queue }) => queue))).toEqual(new Set(['hot#1']));
    expect(directory.beats.at(-1)?.running).toMatchObject([{ queue: 'hot' }]);
    handler.release();
    await eventually(() => engine.ofStatus('completed').length === 1);
  });

  it('gives a queue not more of its slots for its shards', async () => {
    const started: string[] = [];
    let open: () => void = () => undefined;
    const opened = new Promise<void>((done) => {
      open = done;
    });
    const { engine, clock } = await running({
      config: { concurrency: 1, queues: [{ name: 'hot' }, { name: 'calm' }] },
      run: ({ task }) => {
        started.push(task.queue);
        return opened;
      },
    });
    for (const shard of ['hot#1', 'hot#2', 'hot#3']) engine.tellOfShard(shard);
    await settled();
    for (let i = 0; i < 40; i++) for (const queue of ['hot', 'hot#1', 'hot#2', 'hot#3', 'calm']) engine.add({ queue });
    await eventually(() => started.length === 1);
    await clock.advance(2_000); // each of them is asked again
    open();
    await eventually(() => started.length >= 60);
    expect(started.slice(0, 60).filter((queue) => queue === 'calm').length).toBeGreaterThanOrEqual(25);
  });

  it('does not take what `*` tells it of for another queue', async () => {
    const started: string[] = [];
    const { engine, directory, worker } = await running({
      config: { concurrency: 1, queues: [{ name: 'hot' }, { name: '*' }] },
      run: ({ task }) => void started.push(task.queue),
    });
    for (const queue of ['hot#1', 'a', 'b#1', 'b#2']) engine.add({ queue });
    await eventually(() => started.length === 4);
    expect(started.toSorted()).toEqual(['a', 'b', 'b', 'hot']);
    await worker.stop();
    expect(directory.beats.at(-1)?.serving?.toSorted()).toEqual(['a', 'b']);
  });
});
