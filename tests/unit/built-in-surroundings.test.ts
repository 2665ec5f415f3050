import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { builtInSurroundings } from '#worker/built-in-surroundings';
import { WorkerConfig } from '#worker/config';
import { startHttpServer } from '../support/http-server';

it('reaches a model on this machine for summaries, and no private address for the URLs of tasks', async () => {
  await using server = await startHttpServer((_request, response) => void response.end('{}'));
  const { ai, fetch } = builtInSurroundings(
    WorkerConfig.parse({
      redis: {},
      artifactsDir: join(tmpdir(), 'artifacts'),
      builtIns: { ai: { url: `${server.origin}/v1`, key: null, model: 'small' } },
    }),
  );
  const { signal } = new AbortController();
  if (ai === null) throw new Error('a model is configured');
  expect((await ai.fetch(`${server.origin}/v1/models`, { signal })).status).toBe(200);
  await expect(fetch(`${server.origin}/v1/models`, { signal })).rejects.toThrow(
    /private|loopback|not allowed|refused/i,
  );
});
