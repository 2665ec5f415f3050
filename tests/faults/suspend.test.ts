/** A computer that sleeps: everything stands for longer than a lease, Redis too, and the wall clock is far ahead afterwards. */
import { expect, it } from 'vitest';
import { FaultWorld, LEASE_MS } from '../support/fault-world';
import { TestApi, waitFor } from '../support/millrace-process';
import { ShiftedClock } from '../support/shifted-clock';

const SLEPT_MS = 8 * 3_600_000;

it.each(['Redis', 'the worker'])(
  'goes on with what ran, once, after everything slept for 8 h; %s wakes first',
  async (first) => {
    using clock = new ShiftedClock();
    await using world = await FaultWorld.start({ redisEnv: clock.env });
    const server = world.process(['--headless', '--port', '0', '--workers', '0'], { env: clock.env });
    const api = new TestApi(await server.address());
    const worker = await world.running(api, 5, { env: clock.env });
    await world.submitMany(api, 5);
    const pids = { Redis: world.redis.pid, 'the worker': worker.pid, 'the server': server.pid };
    const order = Object.entries(pids)
      .sort(([a], [b]) => Number(b === first) - Number(a === first))
      .map(([, pid]) => pid);

    for (const pid of order.toReversed()) process.kill(pid, 'SIGSTOP');
    const since = performance.now();
    await waitFor('the leases to be over by any clock', () =>
      performance.now() - since > LEASE_MS + 2000 ? true : null,
    );
    clock.shift(SLEPT_MS);
    for (const pid of order) {
      process.kill(pid, 'SIGCONT');
      const woken = performance.now();
      await waitFor('a head start', () => (performance.now() - woken > 500 ? true : null));
    }
    await world.health(api, 200);
    const awake = performance.now();
    await waitFor('all leases to have been looked at', () => (performance.now() - awake > 5000 ? true : null));
    expect(world.runs).toHaveLength(5);
    world.open();
    await world.until(api, 'completed', 10);
    expect(world.runs).toHaveLength(10);
    expect(await world.violations()).toEqual([]);
  },
);
