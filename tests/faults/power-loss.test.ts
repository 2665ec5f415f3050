/**
 * What is left of that which was accepted when Redis dies, or the machine beneath it. With `appendfsync always` that is
 * everything. With `everysec` it is everything but what was accepted within the last two seconds: Redis syncs once a
 * second, and holds writes back for at most two while a sync takes its time.
 */
import { expect, it } from 'vitest';
import { FaultWorld } from '../support/fault-world';
import { type TestApi, waitFor } from '../support/millrace-process';
import { RedisDisk } from '../support/redis-disk';

/** Two seconds, and what it takes to look. */
const WINDOW_MS = 2500;

it.each([
  { policy: 'always', disk: 'a fast', slowerMs: 0, windowMs: 0 },
  { policy: 'always', disk: 'a slow', slowerMs: 100, windowMs: 0 },
  { policy: 'everysec', disk: 'a fast', slowerMs: 0, windowMs: WINDOW_MS },
  { policy: 'everysec', disk: 'a slow', slowerMs: 3000, windowMs: WINDOW_MS },
])(
  'loses nothing that was accepted more than $windowMs ms before redis-server is killed: appendfsync $policy, $disk disk',
  async ({ policy, slowerMs, windowMs }) => {
    using disk = new RedisDisk();
    await using world = await FaultWorld.start({ redis: ['--appendfsync', policy], redisEnv: disk.env });
    const api = await world.server();
    disk.slower(slowerMs);
    const load = new Load(world, api);
    await load.lasts(3000);
    world.redis.kill9();
    const killed = performance.now();
    await load.end();
    disk.slower(0);
    await world.redis.restart();
    await world.health(api, 200);
    await load.lostOnlyWithin(windowMs, killed);
    world.worker(50);
    world.open();
    await world.until(api, 'completed', (await world.stats(api)).total);
    expect(await world.violations()).toEqual([]);
  },
);

it.each([
  { policy: 'always', windowMs: 0 },
  { policy: 'everysec', windowMs: WINDOW_MS },
])(
  'loses nothing that was accepted more than $windowMs ms before the power went: appendfsync $policy',
  async ({ policy, windowMs }) => {
    using disk = new RedisDisk();
    await using world = await FaultWorld.start({ redis: ['--appendfsync', policy], redisEnv: disk.env });
    const api = await world.server();
    world.worker(5);
    world.open();
    await world.submitMany(api, 20);
    await world.until(api, 'completed', 20);
    const before = new Set(world.accepted);
    disk.slower(policy === 'always' ? 20 : 500);
    const load = new Load(world, api);
    await load.lasts(3000);
    world.redis.kill9();
    const cut = performance.now();
    await load.end();
    const gone = disk.losePower(world.redis);
    if (policy === 'everysec') expect(gone).toBeGreaterThan(0); // else nothing was tried
    disk.slower(0);
    await world.redis.restart();
    await world.health(api, 200);
    await load.lostOnlyWithin(windowMs, cut);
    expect(await world.violations()).toEqual([]);
    // Of the worker that lived through it nothing is taken that Redis no longer knows: it runs again, and all is complete.
    await waitFor('all that is there to be complete', async () => {
      const { completed, total } = await world.stats(api);
      return completed === total ? true : null;
    });
    expect(world.runs.filter((id) => before.has(id))).toHaveLength(before.size);
    expect(await world.violations()).toEqual([]);
  },
);

/** Clients that submit one task after another, and remember when each was accepted. */
class Load {
  readonly #world: FaultWorld;
  readonly #api: TestApi;
  readonly #acceptedAt = new Map<string, number>();
  readonly #clients: Promise<void>[];
  #on = true;

  constructor(world: FaultWorld, api: TestApi) {
    this.#world = world;
    this.#api = api;
    this.#clients = Array.from({ length: 4 }, () => this.#submit());
  }

  async #submit(): Promise<void> {
    while (this.#on) {
      const answer = await this.#api
        .submit({ task_type: 'gated', payload: this.#world.payload() })
        .catch(() => null /* the fault has come; nothing is promised of this one */);
      if (answer === null) return;
      this.#acceptedAt.set(answer.id, performance.now());
      this.#world.accepted.add(answer.id);
    }
  }

  /** Time itself is the fault: what is young enough is lost. */
  async lasts(ms: number): Promise<void> {
    const end = performance.now() + ms;
    await waitFor('the load to have lasted', () => (performance.now() > end ? true : null));
    expect(this.#acceptedAt.size).toBeGreaterThan(10);
  }

  async end(): Promise<void> {
    this.#on = false;
    await Promise.all(this.#clients);
  }

  async lostOnlyWithin(ms: number, before: number): Promise<void> {
    for (const [id, at] of this.#acceptedAt) {
      const { status } = await this.#api.call('GET', `/api/tasks/${id}`);
      if (status === 200) continue;
      expect([status, before - at]).toEqual([404, expect.toSatisfy((age: number) => age < ms, `less than ${ms}`)]);
      this.#world.accepted.delete(id); // no promise covers it
    }
  }
}
