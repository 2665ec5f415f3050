/** `millrace --headless` as it is shipped, without workers of its own, on a Redis that is there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../tests/support/redis-server';
import { programArgs } from './program';
import { until } from './subject';

export interface HeadlessServer {
  /** Without a slash at its end. */
  readonly base: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export async function startHeadless(redisUrl: string): Promise<HeadlessServer> {
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
  const server = spawn(process.execPath, programArgs('--headless'), { stdio: 'ignore', env });
  const base = `http://127.0.0.1:${port}`;
  await until(
    async () =>
      fetch(`${base}/health`).then(
        (answer) => answer.ok,
        () => false,
      ),
    20_000,
  );
  return {
    base,
    pid: server.pid ?? 0,
    stop: async () => {
      const gone = once(server, 'exit');
      server.kill('SIGTERM');
      await gone;
      await rm(dir, { recursive: true, force: true });
    },
  };
}
