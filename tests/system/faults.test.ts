import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { StatsOverview } from '#queue/contract/queue';
import { MillraceProcess, TestApi, waitFor } from '../support/millrace-process';
import { type RedisServer, startRedis } from '../support/redis-server';

const LEASE_MS = 10_000;

/** Waits for the file `gate`; each execution leaves a line in `log`. */
const GATED = `
import { defineHandler, z } from 'millrace';
import { appendFileSync, existsSync } from 'node:fs';
export default defineHandler({
  type: 'gated',
  payload: z.object({ gate: z.string(), log: z.string() }),
  async run({ payload, task, signal }) {
    appendFileSync(payload.log, task.id + ' ' + task.attempt + '\\n');
    while (!existsSync(payload.gate)) {
      signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return task.attempt;
  },
});
`;

let dir: string;
let redis: RedisServer;
let started: MillraceProcess[];
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-faults-'));
  mkdirSync(join(dir, 'handlers'));
  writeFileSync(join(dir, 'handlers/gated.ts'), GATED);
  redis = await startRedis();
  started = [];
});
afterEach(async () => {
  for (const process of started) {
    process.signal('SIGCONT');
    process.signal('SIGKILL');
    await process.ended;
  }
  await redis.stop();
  rmSync(dir, { recursive: true, force: true });
});

function start(args: readonly string[]): MillraceProcess {
  const env = { MILLRACE_DATA_DIR: join(dir, 'data'), REDIS_URL: redis.url };
  const process = new MillraceProcess({ args, env, cwd: dir });
  started.push(process);
  return process;
}
const server = async () => new TestApi(await start(['--headless', '--port', '0', '--workers', '0']).address());
const worker = (concurrency: number) =>
  start(['--worker', '--handlers', join(dir, 'handlers'), '--concurrency', String(concurrency)]);

const payload = () => ({ gate: join(dir, 'gate'), log: join(dir, 'log') });
const open = () => writeFileSync(join(dir, 'gate'), '');
const runs = () => {
  const lines = readFileSync(join(dir, 'log'), 'utf8').trim().split('\n');
  return lines.map((line) => line.split(' ')[0] ?? '');
};
const stats = async (api: TestApi) =>
  StatsOverview.parse(await (await api.call('GET', '/api/tasks/stats/overview')).json());

async function submitMany(api: TestApi, count: number): Promise<void> {
  const tasks = Array.from({ length: count }, () => ({ task_type: 'gated', payload: payload() }));
  expect((await api.call('POST', '/api/tasks/bulk', { tasks })).status).toBe(201);
}
const processing = (api: TestApi, count: number) =>
  waitFor(`${count} running tasks`, async () => ((await stats(api)).processing === count ? count : null));

it('completes all of 100 running tasks within the lease and 2 s when their worker is killed', async () => {
  const api = await server();
  const victim = worker(100);
  await submitMany(api, 100);
  await processing(api, 100);
  worker(100);
  await waitFor('the other worker', async () => ((await stats(api)).workers === 2 ? true : null));
  open();
  victim.signal('SIGSTOP'); // so that none of the hundred ends between the gate and the kill
  const before = (await stats(api)).completed;
  victim.signal('SIGKILL');
  const killed = performance.now();
  await waitFor('all to complete', async () => ((await stats(api)).completed === 100 ? true : null), LEASE_MS + 5000);
  expect(performance.now() - killed).toBeLessThan(LEASE_MS + 2000);
  expect(before).toBeLessThan(100);
  expect(new Set(runs()).size).toBe(100);
});

it('lets a worker that was frozen past its lease write nothing', async () => {
  const api = await server();
  const frozen = worker(1);
  const task = await api.submit({ task_type: 'gated', payload: payload() });
  await api.until(task.id, 'processing');
  frozen.signal('SIGSTOP');
  worker(1);
  const taken = await waitFor(
    'the task to start elsewhere',
    async () => {
      const now = await api.task(task.id);
      return now.attempts === 2 && now.status === 'processing' ? now : null;
    },
    LEASE_MS + 10_000,
  );
  open(); // both may end now
  frozen.signal('SIGCONT');
  const done = await api.until(task.id, 'completed');
  expect(done).toMatchObject({ attempts: 2, result: 2, worker_id: taken.worker_id });
  await waitFor('the frozen worker to notice', () => (/lease/i.test(frozen.err) ? true : null));
  expect(await api.task(task.id)).toEqual(done);
});

it('keeps every accepted task when redis-server is killed and comes back', async () => {
  const api = await server();
  await submitMany(api, 500);
  redis.kill9();
  await waitFor('the API to notice', async () => ((await api.call('GET', '/health')).status === 503 ? true : null));
  expect((await api.call('POST', '/api/tasks', { task_type: 'gated', payload: payload() })).status).toBe(503);
  await redis.restart();
  await waitFor('the API to be back', async () => ((await api.call('GET', '/health')).status === 200 ? true : null));
  expect((await stats(api)).total).toBe(500);
  open();
  worker(50);
  await waitFor('all to complete', async () => ((await stats(api)).completed === 500 ? true : null));
});

it('goes on with running tasks over an outage of Redis, and starts none of them twice', async () => {
  const api = await server();
  worker(20);
  await submitMany(api, 20);
  await processing(api, 20);
  redis.kill9();
  await waitFor('the API to notice', async () => ((await api.call('GET', '/health')).status === 503 ? true : null));
  await redis.restart();
  open();
  await waitFor('all to complete', async () => ((await stats(api)).completed === 20 ? true : null));
  expect(runs()).toHaveLength(20);
});
