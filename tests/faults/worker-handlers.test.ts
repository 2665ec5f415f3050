/** Handlers that misbehave without ending their process, and workers that are told to end: in real processes, with the defaults. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { Worker } from '#queue/contract/worker';
import { FaultWorld } from '../support/fault-world';
import { type TestApi, waitFor } from '../support/millrace-process';

const HANDLERS = {
  'hostile.ts': `
import { defineHandler, z } from 'millrace';
import { appendFileSync } from 'node:fs';
const on = (type, run) => defineHandler({ type, run });
const trap = () => { throw new Error('trap'); };
const cyclic = { name: 'me' };
cyclic.self = cyclic;
const THROWN = {
  undefined: undefined,
  null: null,
  text: 'just text',
  frozen: Object.freeze({ code: 7 }),
  cyclic,
  getter: Object.defineProperty(new Error('x'), 'message', { get: trap }),
  proxy: new Proxy({}, { get: trap, has: trap, ownKeys: trap, getPrototypeOf: trap, getOwnPropertyDescriptor: trap }),
};
const RESULTS = { large: () => 'x'.repeat(50 * 1024 * 1024), bigint: () => 10n, cyclic: () => cyclic, function: () => trap };
const later = (ms, act) => setTimeout(act, ms);
export default [
  on('throws', ({ payload }) => { throw THROWN[payload.what]; }),
  on('returns', ({ payload }) => RESULTS[payload.what]()),
  on('never', ({ log }) => { log.info('begun'); return new Promise(() => {}); }),
  on('twice', () => new Promise((done, fail) => { done('first'); fail(new Error('second')); done('third'); })),
  on('straggler', () => { later(50, () => void Promise.reject(new Error('late rejection'))); later(60, () => { throw new Error('late throw'); }); return 'ok'; }),
  on('deaf', ({ payload }) => new Promise((done) => later(payload.ms, () => { appendFileSync(payload.log, 'ended\\n'); done('late'); }))),
  on('block', ({ payload, task }) => { appendFileSync(payload.log, task.attempt + '\\n'); const end = Date.now() + payload.ms; while (Date.now() < end); return 'unblocked'; }),
  on('echo', ({ payload }) => payload),
];
`,
};

const workersOf = async (api: TestApi) =>
  z.object({ workers: z.array(Worker) }).parse(await (await api.call('GET', '/api/workers')).json()).workers;
const linesOf = (world: FaultWorld) => {
  const file = join(world.dir, 'log');
  if (!existsSync(file)) appendFileSync(file, '');
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
};

/** Catalogue 7, 8 and 9; every way of each: tests/unit/worker-attempts.test.ts, worker-crashes.test.ts. */
it('outlives whatever handlers throw and return, and stores of it what can be stored', async () => {
  await using world = await FaultWorld.start({ handlers: HANDLERS });
  const api = await world.server();
  const worker = world.worker(4);
  const run = async (task_type: string, what: string) =>
    [what, await api.submit({ task_type, payload: { what }, max_retries: task_type === 'throws' ? 0 : 3 })] as const;
  const thrown = await Promise.all(
    ['undefined', 'null', 'text', 'frozen', 'cyclic', 'getter', 'proxy'].map((what) => run('throws', what)),
  );
  const returned = await Promise.all(['large', 'bigint', 'cyclic', 'function'].map((what) => run('returns', what)));
  for (const [what, { id }] of thrown) {
    const { error, attempts } = await api.until(id, 'failed');
    expect([what, attempts, error?.name !== '', Buffer.byteLength(JSON.stringify(error)) < 9000]).toEqual([
      what,
      1,
      true,
      true,
    ]);
  }
  for (const [what, { id }] of returned)
    expect([what, await api.until(id, 'failed')]).toMatchObject([
      what,
      { attempts: 1, error: { name: 'ResultError' } },
    ]);
  const twice = await api.submit({ task_type: 'twice', payload: {} });
  expect(await api.until(twice.id, 'completed')).toMatchObject({ result: 'first', attempts: 1 });
  const straggler = await api.submit({ task_type: 'straggler', payload: {} });
  expect(await api.until(straggler.id, 'completed')).toMatchObject({ result: 'ok', attempts: 1 });
  await waitFor('both to be told, with the task', () =>
    ['late rejection', 'late throw'].every((what) =>
      worker.err.split('\n').some((line) => line.includes(what) && line.includes(straggler.id)),
    )
      ? true
      : null,
  );
  const after = await api.submit({ task_type: 'echo', payload: { n: 1 } });
  expect(await api.until(after.id, 'completed')).toMatchObject({ result: { n: 1 }, attempts: 1 });
  expect(worker.child.exitCode).toBeNull();
  const beat = await waitFor(
    'its next heartbeat',
    async () => (await workersOf(api)).find((shown) => shown.failed > 0) ?? null,
  );
  expect(beat).toMatchObject({ pid: worker.pid, completed: 3, failed: 11 });
  expect(await world.violations()).toEqual([]);
});

/** Catalogue 6. */
it('ends a task at its time-out whose handler never does, and frees its slot', async () => {
  await using world = await FaultWorld.start({ handlers: HANDLERS });
  const api = await world.server();
  world.worker();
  const never = await api.submit({ task_type: 'never', payload: {}, timeout: 1, max_retries: 0 });
  await api.until(never.id, 'processing');
  const next = await api.submit({ task_type: 'echo', payload: {} });
  expect(await api.until(never.id, 'failed', 6000)).toMatchObject({ attempts: 1, error: { name: 'TimeoutError' } });
  await api.until(next.id, 'completed', 3000);
  expect(await world.violations()).toEqual([]);
});

/** Catalogue 10. */
it('cancels a task whose handler does not listen: what it says later changes nothing', async () => {
  await using world = await FaultWorld.start({ handlers: HANDLERS });
  const api = await world.server();
  const worker = world.worker();
  const deaf = await api.submit({ task_type: 'deaf', payload: { ms: 5000, log: join(world.dir, 'log') } });
  await api.until(deaf.id, 'processing');
  const asked = performance.now();
  expect((await api.call('POST', `/api/tasks/${deaf.id}/cancel`, {})).status).toBeLessThan(300);
  expect(await api.task(deaf.id)).toMatchObject({ status: 'processing', cancel_requested: true });
  const cancelled = await api.until(deaf.id, 'cancelled', 5000);
  expect(performance.now() - asked).toBeLessThan(4000); // a beat, the grace, and the asking
  const next = await api.submit({ task_type: 'echo', payload: {} });
  await api.until(next.id, 'completed', 2000);
  await waitFor('the handler to end', () => (linesOf(world).length === 1 ? true : null));
  const last = await api.submit({ task_type: 'echo', payload: {} });
  await api.until(last.id, 'completed');
  expect(await api.task(deaf.id)).toEqual(cancelled);
  expect(worker.child.exitCode).toBeNull();
  expect(await world.violations()).toEqual([]);
});

/** Catalogue 5, over more than two leases. What lies beyond the declared time: tests/redis/worker-process.test.ts. */
it('keeps the lease of a handler that computes for 25 s, shows its worker as blocked, and starts no second copy', async () => {
  await using world = await FaultWorld.start({ handlers: HANDLERS });
  const api = await world.server();
  const blocked = world.worker();
  const task = await api.submit({ task_type: 'block', payload: { ms: 25_000, log: join(world.dir, 'log') } });
  await api.until(task.id, 'processing');
  world.worker(4);
  await waitFor('the other worker', async () => ((await workersOf(api)).length === 2 ? true : null));
  const shown = await waitFor(
    'the block to be seen',
    async () => (await workersOf(api)).find((worker) => worker.blocked) ?? null,
    15_000,
  );
  expect(shown.pid).toBe(blocked.pid);
  expect(await api.until(task.id, 'completed', 40_000)).toMatchObject({ attempts: 1, result: 'unblocked' });
  expect(linesOf(world)).toEqual(['1']);
  expect(await world.violations()).toEqual([]);
});

/** Catalogue 11; the end of the parent, and signals of a server: tests/redis/worker-process.test.ts, tests/system/headless.test.ts. */
it.each([
  ['SIGTERM', 1, 0],
  ['SIGINT', 1, 0],
  ['SIGTERM', 2, 143],
  ['SIGINT', 2, 130],
] as const)('ends on %s, %d times, with %d, in time, and hands its task back', async (signal, times, code) => {
  await using world = await FaultWorld.start({ handlers: HANDLERS });
  const api = await world.server();
  const shutdownMs = times === 1 ? 2000 : 60_000;
  const worker = world.process([
    '--worker',
    '--handlers',
    join(world.dir, 'handlers'),
    '--shutdown-timeout',
    String(shutdownMs / 1000),
  ]);
  const task = await api.submit({ task_type: 'never', payload: {} });
  await api.begun(task.id);
  const began = performance.now();
  worker.signal(signal);
  if (times === 2) await waitFor('the stop to be told', () => (worker.err.includes('"stopping"') ? true : null));
  const again = times === 2 ? setInterval(() => worker.signal(signal), 300) : undefined; // one so soon passes for an echo
  const { code: ended, signal: by } = await worker.ended;
  clearInterval(again);
  expect([ended, by]).toEqual([code, null]);
  expect(performance.now() - began).toBeLessThan(times === 1 ? shutdownMs + 1000 + 2000 : 3000);
  expect(await api.task(task.id)).toMatchObject({ status: 'pending', attempts: 0 });
  expect(await world.violations()).toEqual([]);
});
