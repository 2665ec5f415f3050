import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { startRedis } from '../support/redis-server';

const cli = async (port: number, ...args: string[]) =>
  (await promisify(execFile)('redis-cli', ['-p', String(port), ...args])).stdout.trim();

it('keeps data over kill -9 and restart on the same port, and leaves nothing after stop', async () => {
  const redis = await startRedis();
  const { pid } = redis;
  expect(await cli(redis.port, 'SET', 'a', '1')).toBe('OK');
  redis.kill9();
  await redis.restart();
  expect(redis.pid).not.toBe(pid);
  expect(await cli(redis.port, 'GET', 'a')).toBe('1');
  await redis.stop();
  await redis.stop();
  expect(existsSync(redis.dir)).toBe(false);
  expect(() => process.kill(redis.pid, 0)).toThrow();
});

it('takes arguments over its own, and a password into the url', async () => {
  const redis = await startRedis({ args: ['--appendonly', 'no', '--requirepass', 'p@ss'] });
  try {
    expect(redis.url).toBe(`redis://:p%40ss@127.0.0.1:${redis.port}`);
    expect(await cli(redis.port, '-a', 'p@ss', '--no-auth-warning', 'CONFIG', 'GET', 'appendonly')).toBe(
      'appendonly\nno',
    );
  } finally {
    await redis.stop();
  }
});
