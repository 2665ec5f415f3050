/** Many at once: hundreds of workers that come back together, tens of thousands of tasks that fail together. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { BulkSubmitReply, HistoryEntry, Task } from '#queue/contract/task';
import type { ConnectedEngine } from '#queue/engine/connect';
import { quantile } from '../../bench/report';
import { connectTo, submitAll, workOnce } from '../support/engine';
import { FaultWorld } from '../support/fault-world';
import { passes, type TestApi, waitFor } from '../support/millrace-process';
import { readQueue, violations } from '../support/queue-snapshot';
import { startRedis } from '../support/redis-server';

/** Each with two connections, as a worker has them: for its calls, and to wait for work. */
const CLIENTS = 250;
/** Pauses between tries are as long as they get by then. */
const OUTAGE_MS = 5000;
const BACK_MS = 5000;

/** Catalogue 45. */
it('lets 500 connections come back spread over a second, after which every claim is answered within one', async () => {
  const server = await startRedis();
  const clients: ConnectedEngine[] = Array.from({ length: CLIENTS }, (_, n) =>
    connectTo(server, { name: `herd-${n}`, patienceMs: 10_000 }),
  );
  const [first] = clients;
  if (first === undefined) throw new Error('no clients');
  const waits = clients.map(() => new AbortController());
  try {
    await Promise.all(clients.map((client) => client.whenReady(20_000)));
    for (const [n, { engine }] of clients.entries())
      void (async (signal = waits[n]?.signal ?? AbortSignal.abort()) => {
        while (!signal.aborted)
          await engine.waitForWork(`herd-${n}`, ['default'], 2000, signal).catch(() => passes(100));
      })();
    await submitAll(
      first,
      Array.from({ length: CLIENTS }, () => ({})),
    );
    const backAt: number[] = [];
    for (const { store } of clients)
      store.onConnection((up) => {
        if (up) backAt.push(performance.now());
      });
    server.kill9();
    await passes(OUTAGE_MS);
    await server.restart();
    const returned = performance.now();
    await waitFor('all to be back', () => (backAt.length === CLIENTS ? true : null), BACK_MS);
    const after = backAt.map((at) => at - returned);
    // Without a lot they would all come in one moment; how long that takes depends on this one process.
    const spreadMs = quantile(after, 0.9) - quantile(after, 0.1);
    expect(spreadMs).toBeGreaterThan(500); // evenly from 50 ms to 1 s it would be 760
    await passes(Math.max(0, returned + BACK_MS - performance.now())); // five seconds after its return
    const times: number[] = [];
    const claims = await Promise.all(
      clients.map(async (client, n) => {
        const began = performance.now();
        const { claimed } = await workOnce(client, { workerId: `herd-${n}` });
        times.push(performance.now() - began);
        return claimed.map(({ id }) => id);
      }),
    );
    const p99 = quantile(times, 0.99);
    process.stdout.write(
      `herd: ${JSON.stringify({ connections: 2 * CLIENTS, backWithinMs: Math.round(Math.max(...after)), spreadMs: Math.round(spreadMs), claimP99Ms: Math.round(p99) })}\n`,
    );
    expect(p99).toBeLessThan(1000);
    expect(new Set(claims.flat()).size).toBe(CLIENTS);
    const queue = await first.store.command('read it all', (redis) => readQueue(redis, first.store.keys, 'default'));
    expect(violations(queue)).toEqual([]);
  } finally {
    for (const wait of waits) wait.abort();
    await Promise.all(clients.map((client) => client.close()));
    await server.stop();
  }
});

const STORM = 20_000;
const BASE_S = 5;
const HANDLERS = {
  'storm.ts': `
import { defineHandler } from 'millrace';
export default [
  defineHandler({ type: 'fails', run: () => { throw new Error('all of us'); } }),
  defineHandler({ type: 'quick', run: () => 'ok' }),
];
`,
};

/** Catalogue 46. */
it('spreads the retries of 20 000 tasks that fail at once, runs others meanwhile, and none too often', async () => {
  await using world = await FaultWorld.start({ handlers: HANDLERS });
  const api = await world.server();
  for (let n = 0; n < 2; n++) world.worker(100);
  const backoff = { type: 'exponential', base: BASE_S, max: 60, jitter: 1 };
  for (let sent = 0; sent < STORM; sent += 5000) {
    const tasks = Array.from({ length: 5000 }, () => ({ task_type: 'fails', payload: {}, max_retries: 1, backoff }));
    const answer = await api.call('POST', '/api/tasks/bulk', { tasks });
    for (const id of BulkSubmitReply.parse(await answer.json()).ids) if (id !== null) world.accepted.add(id);
  }
  await waitFor('the storm', async () => ((await world.stats(api)).retrying > STORM / 10 ? true : null));
  const began = performance.now();
  const others = Array.from({ length: 100 }, () => ({ task_type: 'quick', payload: {}, priority: 10 }));
  expect((await api.call('POST', '/api/tasks/bulk', { tasks: others })).status).toBe(201);
  await world.until(api, 'completed', 100, 10_000);
  const othersMs = Math.round(performance.now() - began);
  await world.until(api, 'failed', STORM, 150_000);
  const quarters = await delaysOf(api, [...world.accepted].slice(0, 200));
  process.stdout.write(`storm: ${JSON.stringify({ tasks: STORM, quarters, othersMs })}\n`);
  for (const share of quarters) expect(Math.abs(share - 0.25)).toBeLessThan(0.12);
  const { tasks } = z
    .object({ tasks: z.array(Task) })
    .parse(await (await api.call('GET', '/api/tasks?status=failed&limit=1000')).json());
  expect(new Set(tasks.map(({ attempts }) => attempts))).toEqual(new Set([2]));
  expect(await world.violations()).toEqual([]);
}, 240_000);

/** Shares of the back-offs of these tasks in each quarter of what they may be. */
async function delaysOf(api: TestApi, ids: readonly string[]): Promise<number[]> {
  const delays = await Promise.all(
    ids.map(async (id) => {
      const answer = await (await api.call('GET', `/api/tasks/${id}/history`)).json();
      const { history } = z.object({ history: z.array(HistoryEntry) }).parse(answer);
      const failed = history.find(({ event }) => event === 'retrying');
      return Date.parse(failed?.next_run_at ?? '') - Date.parse(failed?.at ?? '');
    }),
  );
  const quarter = (BASE_S * 1000) / 4;
  return [0, 1, 2, 3].map((n) => delays.filter((ms) => Math.floor(ms / quarter) === n).length / delays.length);
}
