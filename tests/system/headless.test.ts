import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DOCS_FILES } from '#main/server/docs-page';
import { isAlive, MillraceProcess, TestApi, waitFor } from '../support/millrace-process';
import { freePort, type RedisServer, startRedis } from '../support/redis-server';

const SLOW_HANDLER = `
import { defineHandler, z } from 'millrace';
import { writeFileSync } from 'node:fs';
export default defineHandler({
  type: 'slow',
  payload: z.object({ ms: z.number(), mark: z.string().optional() }),
  async run({ payload, signal, log }) {
    log.info('begun');
    if (payload.mark) setTimeout(() => writeFileSync(payload.mark, 'x'), 300);
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, payload.ms);
      signal.addEventListener('abort', () => { clearTimeout(timer); resolve(undefined); });
    });
    signal.throwIfAborted();
    return { slept: payload.ms };
  },
});
`;

let dir: string;
let started: MillraceProcess[];
let redis: RedisServer | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-system-'));
  mkdirSync(join(dir, 'handlers'));
  writeFileSync(join(dir, 'handlers/slow.ts'), SLOW_HANDLER);
  started = [];
  redis = undefined;
});
afterEach(async () => {
  const pids = [...redisPids(), ...started.flatMap(({ err }) => pidsIn(err))];
  for (const process of started) {
    process.signal('SIGKILL');
    await process.ended;
  }
  for (const pid of pids) if (isAlive(pid) && isOurs(pid)) process.kill(pid, 'SIGKILL');
  await redis?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Local servers that this test's processes say they have started. */
const redisPids = (): number[] =>
  started.flatMap(({ err }) =>
    [...err.matchAll(/"pid":(\d+),"port":\d+,"msg":"starting the local Redis"/g)].map((match) => Number(match[1])),
  );
const pidsIn = (log: string): number[] => [...log.matchAll(/"worker_pid":(\d+)/g)].map((match) => Number(match[1]));
/** A pid may have been given to somebody else: look at what it runs before ending it. */
function isOurs(pid: number): boolean {
  try {
    return (
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(dir) ||
      readFileSync(`/proc/${pid}/environ`, 'utf8').includes(dir)
    );
  } catch {
    return false; // it is gone
  }
}

function millrace(args: readonly string[], env: Record<string, string> = {}): MillraceProcess {
  const process = new MillraceProcess({ args, env: { MILLRACE_DATA_DIR: join(dir, 'data'), ...env }, cwd: dir });
  started.push(process);
  return process;
}
const headless = (args: readonly string[] = [], env: Record<string, string> = {}) =>
  millrace(['--headless', '--port', '0', '--handlers', join(dir, 'handlers'), ...args], env);

/** As somebody does who cannot wait: again, until it has ended. */
async function insist(server: MillraceProcess, signal: NodeJS.Signals) {
  const timer = setInterval(() => server.signal(signal), 100);
  try {
    return await server.ended;
  } finally {
    clearInterval(timer);
  }
}

describe('millrace --headless', () => {
  it('runs a task with nothing configured, keeps it over a restart, and leaves nothing running', async () => {
    const first = headless();
    const api = new TestApi(await first.address());
    const payload = { to: 'ada@example.org', subject: 'Hello', text: 'It works.' };
    const task = await api.submit({ task_type: 'email', payload });
    const done = await api.until(task.id, 'completed');
    expect(done).toMatchObject({ attempts: 1, progress: 100, error: null });
    const [mail] = readdirSync(join(dir, 'data/outbox')).filter((name) => name.endsWith('.eml'));
    expect(readFileSync(join(dir, 'data/outbox', mail ?? ''), 'utf8')).toContain('Subject: Hello');

    const left = [...(await api.workers(1)), ...redisPids()];
    expect(left.map(isAlive)).toEqual([true, true]);
    first.signal('SIGTERM');
    expect(await first.ended).toMatchObject({ code: 0, signal: null });
    expect(left.map(isAlive)).toEqual([false, false]);

    const second = headless();
    expect(await new TestApi(await second.address()).task(task.id)).toEqual(done);
    second.signal('SIGINT');
    expect((await second.ended).code).toBe(0);
  });

  it('serves every queue, new ones at once, and leaves the paused ones alone', async () => {
    const server = headless();
    const api = new TestApi(await server.address());
    await api.workers(1);
    expect((await api.call('POST', '/api/queues/stopped/pause')).status).toBe(200);
    const waits = await api.submit({ task_type: 'slow', payload: { ms: 1 }, queue: 'stopped' });
    const task = await api.submit({ task_type: 'slow', payload: { ms: 1 }, queue: 'emails' });
    const done = await api.until(task.id, 'completed');
    expect(Date.parse(done.finished_at ?? '') - Date.parse(done.created_at)).toBeLessThan(1_000);
    expect((await api.task(waits.id)).status).toBe('pending');
    const explained = (await (await api.call('GET', `/api/tasks/${waits.id}/explain`)).json()) as { reasons: unknown };
    expect(explained.reasons).toMatchObject([{ code: 'paused' }]);
    const emails = await (await api.call('GET', '/api/queues/emails')).json();
    expect(emails).toMatchObject({ workers: 1, depth: { completed: 1 } });
    const { workers } = (await (await api.call('GET', '/api/workers')).json()) as { workers: unknown[] };
    expect(workers).toMatchObject([{ queues: [{ name: '*', weight: 1 }] }]);
    expect((await api.call('POST', '/api/queues/stopped/resume')).status).toBe(200);
    await api.until(waits.id, 'completed');
  });

  it('prints one line on standard output, and its log as JSON on standard error', async () => {
    const server = headless(['--workers', '0']);
    await server.address();
    server.signal('SIGTERM');
    const { out, err } = await server.ended;
    expect(out).toMatch(/^Millrace \S+ on http:\/\/127\.0\.0\.1:\d+\n$/);
    for (const line of err.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg');
  });

  it('serves the page that reads its API from files of the build', async () => {
    const server = headless(['--workers', '0']);
    const api = new TestApi(await server.address());
    for (const name of DOCS_FILES) expect((await api.call('GET', `/docs/${name}`)).status, name).toBe(200);
  });

  it('hands a task back that does not end in time, at no cost, and runs it after the next start', async () => {
    const first = headless(['--shutdown-timeout', '0.5']);
    const api = new TestApi(await first.address());
    const task = await api.submit({ task_type: 'slow', payload: { ms: 60_000 }, max_retries: 0 });
    await api.begun(task.id);
    const since = performance.now();
    first.signal('SIGTERM');
    expect((await first.ended).code).toBe(0);
    expect(performance.now() - since).toBeLessThan(10_000);

    const second = new TestApi(await headless(['--shutdown-timeout', '0.5']).address());
    const again = await second.until(task.id, 'processing');
    expect(again.attempts).toBe(1);
  });

  it('takes one signal that reaches it and its workers by several ways for one: what runs may end', async () => {
    const server = headless();
    const api = new TestApi(await server.address());
    const [worker] = await api.workers(1);
    const mark = join(dir, 'mark');
    const task = await api.submit({ task_type: 'slow', payload: { ms: 1_500, mark } });
    await waitFor('the handler to be well on its way', () => (existsSync(mark) ? true : null));
    process.kill(worker ?? 0, 'SIGINT');
    server.signal('SIGINT');
    server.signal('SIGTERM');
    expect((await server.ended).code).toBe(0);
    expect(await new TestApi(await headless().address()).task(task.id)).toMatchObject({
      status: 'completed',
      attempts: 1,
    });
  });

  it('ends at once, with 130, at the second SIGINT', async () => {
    const server = headless();
    const api = new TestApi(await server.address());
    const task = await api.submit({ task_type: 'slow', payload: { ms: 60_000 } });
    await api.begun(task.id);
    const left = [...(await api.workers(1)), ...redisPids()];
    server.signal('SIGINT');
    await waitFor('the stop to begin', () => (server.err.includes('"msg":"stopping"') ? true : null));
    const { code } = await insist(server, 'SIGINT');
    expect(code).toBe(130);
    expect(left.map(isAlive)).toEqual([false, false]);
  });

  it('quiets its workers when told: what runs goes on, nothing new is taken', async () => {
    const server = headless();
    const api = new TestApi(await server.address());
    const mark = join(dir, 'mark');
    await api.workers(1);
    const running = await api.submit({ task_type: 'slow', payload: { ms: 2_000, mark } });
    await waitFor('the handler to be well on its way', () => (existsSync(mark) ? true : null));
    server.signal('SIGUSR1');
    await waitFor('a quiet worker', async () => {
      const { workers } = (await (await api.call('GET', '/api/workers')).json()) as { workers: { state: string }[] };
      return workers[0]?.state === 'quiet' ? true : null;
    });
    const later = await api.submit({ task_type: 'slow', payload: { ms: 1 } });
    await api.until(running.id, 'completed');
    expect((await api.task(later.id)).status).toBe('pending');
    server.signal('SIGTERM');
    expect((await server.ended).code).toBe(0);
  });

  it('starts a worker again that is killed, and the task too', async () => {
    const api = new TestApi(await headless().address());
    const mark = join(dir, 'mark');
    const [pid] = await api.workers(1);
    const task = await api.submit({ task_type: 'slow', payload: { ms: 3_000, mark }, max_retries: 1 });
    await waitFor('the handler to be well on its way', () => (existsSync(mark) ? true : null));
    process.kill(pid ?? 0, 'SIGKILL');
    const exit = await waitFor('the crash record', async () => (await api.pools())[0]?.exits[0] ?? null);
    expect(exit).toMatchObject({ signal: 'SIGKILL', running: [{ id: task.id, task_type: 'slow' }] });
    expect(await api.until(task.id, 'completed')).toMatchObject({ attempts: 2 });
    expect((await api.workers(1))[0]).not.toBe(pid);
  });

  it('is found again after it was killed: its workers end, its Redis is adopted', async () => {
    const first = headless();
    const api = new TestApi(await first.address());
    const task = await api.submit({ task_type: 'slow', payload: { ms: 1 } });
    await api.until(task.id, 'completed');
    const workers = await api.workers(1);
    first.signal('SIGKILL');
    await first.ended;
    await waitFor('the workers to end', () => (workers.some(isAlive) ? null : true));
    const second = headless();
    const again = new TestApi(await second.address());
    expect((await again.task(task.id)).status).toBe('completed');
    const [pid] = redisPids();
    expect(pid !== undefined && isAlive(pid)).toBe(true);
    second.signal('SIGTERM');
    expect((await second.ended).code).toBe(0);
    expect(pid !== undefined && isAlive(pid)).toBe(false);
  });

  it('refuses to listen beyond this machine without a token, and does with one', async () => {
    const open = headless(['--host', '0.0.0.0']);
    const { code, err, out } = await open.ended;
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('The API needs a token because it listens on 0.0.0.0');
    expect(redisPids().map(isAlive)).toEqual([false]);

    const remote = await headless(['--redis', 'redis://192.0.2.1:6379']).ended;
    expect(remote.code).toBe(2);
    expect(remote.err).toContain('The API needs a token because its Redis is on another machine');

    const closed = headless(['--host', '0.0.0.0', '--workers', '0'], { MILLRACE_TOKEN: 'open-sesame' });
    const base = (await closed.address()).replace('0.0.0.0', '127.0.0.1');
    expect((await new TestApi(base).call('GET', '/api/tasks')).status).toBe(401);
    expect((await new TestApi(base, 'open-sesame').call('GET', '/api/tasks')).status).toBe(200);
  });

  it('says so where the port is taken, and leaves nothing running', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    const port = await waitFor('the port', () => {
      const address = taken.address();
      return address !== null && typeof address === 'object' ? address.port : null;
    });
    const server = headless(['--port', String(port)]);
    const { code, err } = await server.ended;
    taken.close();
    expect(code).toBe(1);
    expect(err).toContain(`port ${port} on 127.0.0.1 is in use`);
    expect(redisPids().map(isAlive)).toEqual([false]);
  });

  it('tells every fault of its configuration', async () => {
    const { code, err } = await headless(['--concurrency', '0'], { LOG_LEVEL: 'loud' }).ended;
    expect(code).toBe(2);
    expect(err.trim().split('\n')).toHaveLength(2);
  });

  it('starts while the configured Redis is away, answers 503, and works when it is there', async () => {
    redis = await startRedis();
    redis.kill9();
    const server = headless(['--redis', redis.url]);
    const api = new TestApi(await server.address());
    const health = await api.call('GET', '/health');
    expect([health.status, await health.json()]).toMatchObject([503, { redis: 'down' }]);
    expect((await api.call('POST', '/api/tasks', { task_type: 'slow', payload: { ms: 1 } })).status).toBe(503);
    await redis.restart();
    const task = await waitFor('a submit', () => api.submit({ task_type: 'slow', payload: { ms: 1 } }));
    await api.until(task.id, 'completed', 60_000);
  });
});

describe('millrace --worker, and commands without an API', () => {
  it('run a task over a Redis alone', async () => {
    redis = await startRedis();
    const env = { REDIS_URL: redis.url, APP_PORT: String(await freePort()) };
    const worker = millrace(
      ['--worker', '--queues', 'other=2,slowly', '--concurrency', '3', '--handlers', join(dir, 'handlers')],
      env,
    );
    const submitted = await millrace(['submit', 'slow', '--payload', '{"ms":50}', '--queue', 'slowly', '--wait'], env)
      .ended;
    expect(submitted.code).toBe(0);
    expect(JSON.parse(submitted.out)).toMatchObject({ status: 'completed', result: { slept: 50 }, queue: 'slowly' });

    const listed = await millrace(['workers', '--json'], env).ended;
    expect(JSON.parse(listed.out).workers).toMatchObject([
      {
        pid: worker.pid,
        concurrency: 3,
        queues: [
          { name: 'other', weight: 2 },
          { name: 'slowly', weight: 1 },
        ],
      },
    ]);
    worker.signal('SIGTERM');
    expect((await worker.ended).code).toBe(0);
  });

  it('drain the dead-letter queue in their own process', async () => {
    redis = await startRedis();
    const env = { REDIS_URL: redis.url, APP_PORT: String(await freePort()) };
    const worker = millrace(['--worker', '--handlers', join(dir, 'handlers')], env);
    const failed = await millrace(['submit', 'slow', '--payload', '{"ms":"no"}', '--wait'], env).ended;
    expect(failed.code).toBe(1);
    worker.signal('SIGTERM');
    await worker.ended;
    const drained = await millrace(['dlq', 'requeue', '--all', '--json'], env).ended;
    expect(JSON.parse(drained.out)).toMatchObject({ state: 'done', matched: 1, done: 1 });
    const stats = await millrace(['stats', '--json'], env).ended;
    expect(JSON.parse(stats.out)).toMatchObject({ pending: 1, failed: 0 });
  });

  it('say so where the password is wrong', async () => {
    redis = await startRedis({ args: ['--requirepass', 'right'] });
    const { code, err } = await millrace(['tasks', '--redis', `redis://:wrong@127.0.0.1:${redis.port}`]).ended;
    expect(code).toBe(3);
    expect(err).toMatch(/password/i);
    expect(err).not.toContain('wrong@');
  });

  it('measure what Redis can do, and leave nothing in its queues', async () => {
    redis = await startRedis();
    const { code, out } = await millrace(['bench', '--redis', redis.url, '--tasks', '500', '--samples', '20', '--json'])
      .ended;
    expect(code).toBe(0);
    const report = JSON.parse(out);
    expect(report.tasks).toBe(500);
    for (const figure of [
      report.submit_per_second,
      report.work_per_second,
      report.submit_ms.p99,
      report.start_ms.p99,
    ]) {
      expect(figure).toBeGreaterThan(0);
    }
    const stats = await millrace(['stats', '--redis', redis.url, '--prefix', 'mr-bench', '--json']).ended;
    expect(JSON.parse(stats.out).total).toBe(0);
  });

  it('examine it', async () => {
    redis = await startRedis();
    const { code, out } = await millrace([
      'doctor',
      '--redis',
      redis.url,
      '--handlers',
      join(dir, 'handlers'),
      '--json',
      '--port',
      '0',
    ]).ended;
    const { checks, state } = JSON.parse(out);
    expect(code).toBe(state === 'fail' ? 1 : 0);
    expect(checks).toContainEqual(expect.objectContaining({ name: 'redis connection', state: 'ok' }));
    expect(checks).toContainEqual(
      expect.objectContaining({ name: 'handlers', state: 'ok', detail: '1 task type: slow' }),
    );
  });

  it('end with 3 where Redis does not answer', async () => {
    const url = `redis://127.0.0.1:${await freePort()}`;
    const { code, err } = await millrace(['tasks', '--redis', url]).ended;
    expect(code).toBe(3);
    expect(err).toMatch(/^Redis at redis:\/\/127\.0\.0\.1:\d+\/0 cannot be used: /);
  });
});
