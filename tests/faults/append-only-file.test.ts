/** The append-only file itself: rewritten without a pause under load, cut off anywhere, damaged in one byte. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { LocalRedis } from '#main/local-redis/local-redis';
import { connectEngine } from '#queue/engine/connect';
import { systemClock } from '#queue/kernel/clock';
import { silentLog } from '#queue/kernel/log';
import { failure, redisAt, submitAll, workOnce } from '../support/engine';
import { FaultWorld } from '../support/fault-world';
import { localRedisIn } from '../support/local-redis';
import { waitFor } from '../support/millrace-process';
import { appendOnlyFiles } from '../support/redis-disk';

const FINISHES = 600;
const BALLAST = 3000;

it('ends tasks within 500 ms (99 of 100) while the file is rewritten without a pause, and loses none', async () => {
  await using world = await FaultWorld.start({ redis: ['--appendfsync', 'everysec'] });
  const api = await world.server();
  // So that a rewrite has something to do; nobody serves that queue.
  for (let n = 0; n < BALLAST; n += 1000) await world.submitMany(api, 1000, 'never', 'ballast');
  world.worker(20, { env: { QUEUES: 'default' } });
  world.open();
  let rewriting = true;
  const info = (section: string) => world.engine.store.command('info', (redis) => redis.info(section));
  const rewrites = (async () => {
    while (rewriting) {
      await world.engine.store.command('rewrite', (redis) => redis.bgrewriteaof());
      await waitFor('the rewrite', async () =>
        /aof_rewrite_in_progress:0/.test(await info('persistence')) ? true : null,
      );
    }
  })();
  const load = (async () => {
    while (rewriting) await world.submitMany(api, 5).catch(() => undefined);
  })();
  // A worker of the test's own: each call ends one task and claims the next.
  await submitAll(
    world.engine,
    Array.from({ length: FINISHES }, () => ({ queue: 'measured' })),
  );
  const took: number[] = [];
  let { claimed } = await workOnce(world.engine, { queue: 'measured' });
  for (let [task] = claimed; task !== undefined; [task] = claimed) {
    const since = performance.now();
    const settles = [{ kind: 'complete' as const, id: task.id, token: task.token, result: '1' }];
    const reply = await workOnce(world.engine, { queue: 'measured', settles });
    took.push(performance.now() - since);
    expect(reply.verdicts).toEqual([expect.stringMatching(/^(accepted|already)$/)]); // already: the call had to be repeated
    ({ claimed } = reply);
  }
  rewriting = false;
  await Promise.all([rewrites, load]);
  took.sort((a, b) => a - b);
  expect(took).toHaveLength(FINISHES);
  expect(took[Math.floor(FINISHES * 0.99)]).toBeLessThan(500);
  await waitFor('the load to be complete', async () => {
    const { completed, total } = await world.stats(api);
    return completed === total - BALLAST ? true : null;
  });
  expect(Number(/aof_rewrites:(\d+)/.exec(await info('persistence'))?.[1] ?? 0)).toBeGreaterThan(3);
  world.redis.kill9();
  await world.health(api, 503);
  await world.redis.restart();
  await world.health(api, 200);
  const ids = [...world.accepted];
  for (let n = 0; n < ids.length; n += 500)
    expect(await world.engine.reader.getTasks(ids.slice(n, n + 500))).not.toContain(null);
});

it('keeps its rules wherever the tail of the file is cut off: each change is there as a whole, or not at all', async () => {
  await using world = await FaultWorld.start();
  const { engine } = world;
  await submitAll(engine, [{ uniqueKey: 'a', tags: ['x'] }, { dependsOn: [] }, { maxRetries: 0 }, {}]);
  const { claimed } = await workOnce(engine, { want: 3 });
  const [first, second, third] = claimed;
  if (!first || !second || !third) throw new Error('three were there to claim');
  const parent = third.id;
  await submitAll(engine, [{ dependsOn: [parent] }]);
  await workOnce(engine, {
    want: 1,
    settles: [
      { kind: 'complete', id: first.id, token: first.token, result: '{}' },
      { kind: 'fail', id: second.id, token: second.token, retryInMs: 60_000, error: failure() },
    ],
  });
  await engine.engine.cancel([parent], 'nobody wants it');
  await submitAll(engine, [{}, {}]);
  expect(await world.violations()).toEqual([]);

  world.redis.kill9();
  const [path] = appendOnlyFiles(world.redis);
  if (path === undefined) throw new Error('no append-only file');
  const whole = readFileSync(path);
  const cuts = Array.from({ length: 40 }, (_, n) => Math.floor((whole.length * n) / 40) + n);
  const left = new Set<number>();
  for (const cut of cuts) {
    writeFileSync(path, whole.subarray(0, cut));
    await world.redis.restart();
    await engine.whenReady(5000);
    expect([cut, await world.violations()]).toEqual([cut, []]);
    left.add((await engine.reader.listIds({}, 100)).length);
    world.redis.kill9();
  }
  expect(left.size).toBeGreaterThan(2); // none of the tasks, some, more of them
  writeFileSync(path, whole);
  await world.redis.restart();
});

it('is refused with one byte flipped in a command; what the message says to do brings back all before it', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-aof-'));
  const connect = (redis: LocalRedis) =>
    connectEngine(
      { ...redisAt(redis.options()), password: redis.options().password },
      { clock: systemClock, log: silentLog, name: 'test' },
    );
  let redis = localRedisIn(dataDir);
  try {
    await redis.start();
    let engine = connect(redis);
    await submitAll(engine, [{ name: 'before' }]);
    await submitAll(engine, [{ name: 'damaged' }]);
    await submitAll(engine, [{ name: 'after' }]);
    await engine.close();
    await redis.stop();
    const [path] = appendOnlyFiles({ dir: join(dataDir, 'redis') });
    if (path === undefined) throw new Error('no append-only file');
    const bytes = readFileSync(path);
    const at = bytes.lastIndexOf('\r\n$', bytes.indexOf('damaged')) + 2;
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at); // `$`, which begins the length of a word
    writeFileSync(path, bytes);

    redis = localRedisIn(dataDir);
    const refused = await redis.start().then(
      () => null,
      (error: unknown) => error,
    );
    expect(refused).toMatchObject({ code: 'corrupt' });
    const advice = /redis-check-aof --fix "([^"]+)"/.exec(String(refused))?.[1];
    execFileSync('redis-check-aof', ['--fix', advice ?? ''], { input: 'y\n', stdio: ['pipe', 'ignore', 'ignore'] });

    redis = localRedisIn(dataDir);
    await redis.start();
    engine = connect(redis);
    const [id, ...others] = await engine.reader.listIds({}, 10);
    expect(others).toEqual([]);
    expect((await engine.reader.getTasks([id ?? '']))[0]).toMatchObject({ name: 'before' });
    await engine.close();
  } finally {
    await redis.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
});
