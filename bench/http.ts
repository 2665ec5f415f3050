/** Medians of the everyday calls over HTTP, one after the other, against the built program. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../tests/support/redis-server';
import { median } from './report';
import { PAYLOAD, until } from './subject';

const CALLS = 200;

export async function measureHttp(redisUrl: string): Promise<Map<string, number>> {
  const port = await freePort();
  const dir = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const env = {
    ...process.env,
    APP_PORT: String(port),
    MILLRACE_DATA_DIR: dir,
    REDIS_URL: redisUrl,
    WORKERS: '0',
    LOG_LEVEL: 'silent',
  };
  const server = spawn(process.execPath, ['out/main/cli.js', '--headless'], { stdio: 'ignore', env });
  const base = `http://127.0.0.1:${port}`;
  await until(
    async () =>
      fetch(`${base}/health`).then(
        (answer) => answer.ok,
        () => false,
      ),
    20_000,
  );
  const body = JSON.stringify({ task_type: 'noop', payload: PAYLOAD });
  const create = () =>
    fetch(`${base}/api/tasks`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  const created: unknown = await (await create()).json();
  const id = typeof created === 'object' && created !== null && 'id' in created ? String(created.id) : '';
  const calls: [string, () => Promise<Response>][] = [
    ['create', create],
    ['status', () => fetch(`${base}/api/tasks/${id}`)],
    ['list of 100', () => fetch(`${base}/api/tasks?limit=100`)],
    ['health', () => fetch(`${base}/health`)],
  ];
  const medians = new Map<string, number>();
  for (const [name, call] of calls) {
    const times: number[] = [];
    for (let i = 0; i < CALLS; i++) {
      const start = performance.now();
      await (await call()).arrayBuffer();
      times.push(performance.now() - start);
    }
    medians.set(name, median(times));
  }
  const gone = once(server, 'exit');
  server.kill('SIGTERM');
  await gone;
  await rm(dir, { recursive: true, force: true });
  return medians;
}
