/** A Redis and an engine over it that all tests of one file share, ended with the last of them. */
import { afterAll, beforeEach } from 'vitest';
import type { ConnectedEngine } from '#queue/engine/connect';
import { connectTo } from './engine';
import { type RedisServer, startRedis } from './redis-server';

interface EngineOfFile {
  server: RedisServer;
  connected: ConnectedEngine;
}

/**
 * Awaited where the file begins. @param emptied each test begins with an empty store @param redis as for `startRedis`
 * @throws where Redis does not answer within 5 s
 */
export async function engineOfFile({
  emptied = false,
  redis = {},
}: {
  emptied?: boolean;
  redis?: Parameters<typeof startRedis>[0];
} = {}): Promise<EngineOfFile> {
  const server = await startRedis(redis);
  const connected = connectTo(server);
  afterAll(async () => {
    await connected.close();
    await server.stop();
  });
  if (!(await connected.whenReady(5000))) throw new Error('Redis does not answer');
  if (emptied) beforeEach(() => connected.store.command('flush', (connection) => connection.flushall()));
  return { server, connected };
}
