import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '#queue/contract/limits';
import { head, raw, started, WatchedClock } from '../support/api-socket';
import { turn } from '../support/manual-clock';

describe('over a socket', () => {
  it('takes and answers a task', async () => {
    await using world = await started();
    const response = await fetch(`${world.server.url}/api/tasks`, {
      method: 'POST',
      body: '{"task_type":"email"}',
      headers: { 'content-type': 'application/json' },
    });
    expect([response.status, response.headers.get('content-type')]).toEqual([201, 'application/json']);
    expect(world.queue.tasks.size).toBe(1);
  });

  it.each([
    [{ host: 'evil.example' }, 421],
    [{ host: 'localhost:1' }, 421],
    [{ host: 'localhost:PORT', origin: 'http://evil.example' }, 403],
    [{ host: 'localhost:PORT', origin: 'null' }, 403],
    [{ host: 'localhost:PORT', 'sec-fetch-site': 'cross-site' }, 403],
    [{ host: 'localhost:PORT', origin: 'http://localhost:PORT' }, 200],
    [{ host: '127.0.0.1:PORT' }, 200],
  ])('%j gives %d', async (headers, expected) => {
    await using world = await started();
    const own = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value.replace('PORT', String(world.port))]),
    );
    const answer = await raw(world.port, [head('GET', '/api/queues', own)]);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${expected} `));
    expect(() => world.server.checkRequest({ ...own, upgrade: 'websocket' })).toSatisfy(
      (check: () => void) => refuses(check) === (expected !== 200),
    );
  });

  it('answers the questions of a browser about a configured origin', async () => {
    await using world = await started({ settings: { allowedOrigins: ['http://localhost:5173'] } });
    const answer = await raw(
      world.port,
      [
        head('OPTIONS', '/api/tasks', {
          host: `localhost:${world.port}`,
          origin: 'http://localhost:5173',
          connection: 'close',
        }),
      ],
      /never/,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 204 [\s\S]*access-control-allow-origin: http:\/\/localhost:5173/i);
    expect(await raw(world.port, [head('GET', '/api/tasks', { host: `localhost:${world.port}` })])).not.toMatch(
      /access-control/i,
    );
  });

  it('takes exactly 1 MiB of body, and refuses more by its declared length without waiting for it', async () => {
    await using world = await started();
    const post = (bytes: number, sent: string) =>
      raw(world.port, [
        head('POST', '/api/tasks', {
          host: `localhost:${world.port}`,
          'content-type': 'application/json',
          'content-length': String(bytes),
        }),
        sent,
      ]);
    const task = '{"task_type":"email"}';
    expect(await post(LIMITS.bodyBytes, task.padEnd(LIMITS.bodyBytes))).toMatch(/^HTTP\/1\.1 201 /);
    expect(await post(LIMITS.bodyBytes + 1, '')).toMatch(/^HTTP\/1\.1 413 /);
    expect(world.queue.tasks.size).toBe(1);
  });

  it('refuses a body without a length once it has passed the limit, and ends the connection', async () => {
    await using world = await started();
    const answer = new Promise<string>((resolve, reject) => {
      const outgoing = request(
        {
          port: world.port,
          method: 'POST',
          path: '/api/tasks',
          headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
        },
        (incoming) => {
          incoming.setEncoding('utf8');
          let text = '';
          incoming.on('data', (chunk: string) => {
            text += chunk;
          });
          incoming.on('end', () => resolve(`${incoming.statusCode} ${text}`));
        },
      );
      outgoing.on('error', (error: NodeJS.ErrnoException) =>
        error.code === 'EPIPE' || error.code === 'ECONNRESET' ? undefined : reject(error),
      );
      for (let sent = 0; sent <= LIMITS.bodyBytes; sent += 64 * 1024) outgoing.write(Buffer.alloc(64 * 1024, 0x20)); // never ended
    });
    expect(await answer).toMatch(/^413 .*BODY_TOO_LARGE/);
    expect(world.queue.tasks.size).toBe(0);
  });

  it('refuses headers above 8 KiB', async () => {
    await using world = await started();
    const answer = await raw(
      world.port,
      [head('GET', '/health', { host: `localhost:${world.port}`, 'x-big': 'x'.repeat(9 * 1024) })],
      /never/,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(
      await raw(world.port, [
        head('GET', '/health', { host: `localhost:${world.port}`, 'x-big': 'x'.repeat(7 * 1024) }),
      ]),
    ).toMatch(/^HTTP\/1\.1 200 /);
  });

  it.each(['evil@localhost:PORT', 'a b', 'localhost:PORT/x', 'localhost:port', '[::1'])(
    'refuses a Host that is none with 421: %s',
    async (host) => {
      await using world = await started();
      expect(
        await raw(world.port, [head('GET', '/health', { host: host.replace('PORT', String(world.port)) })]),
      ).toMatch(/^HTTP\/1\.1 421 /);
    },
  );

  it('cuts a client that never ends its headers', async () => {
    await using world = await started();
    expect(world.server.server.headersTimeout).toBe(10_000);
    world.server.server.headersTimeout = 200;
    const answer = await raw(world.port, ['GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: 1'], /never/);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('gives up on a body that does not come within 30 s', async () => {
    const clock = new WatchedClock();
    await using world = await started({ clock });
    const answer = raw(world.port, [
      head('POST', '/api/tasks', {
        host: `localhost:${world.port}`,
        'content-type': 'application/json',
        'content-length': '30',
      }),
      '{"task_',
    ]);
    while (!clock.asked.includes(30_000)) await turn();
    await clock.advance(29_999);
    await clock.advance(1);
    expect(await answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*did not arrive within 30 s/);
  });

  it('streams lines of tasks', async () => {
    await using world = await started();
    const line = '{"task_type":"email"}\n';
    const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
    const answer = await raw(world.port, [
      head('POST', '/api/tasks/bulk', {
        host: `localhost:${world.port}`,
        'content-type': 'application/x-ndjson',
        'transfer-encoding': 'chunked',
      }),
      chunk(line.repeat(1500)),
      chunk(line.slice(0, 5)),
      chunk(line.slice(5)),
      '0\r\n\r\n',
    ]);
    expect(answer).toMatch(/^HTTP\/1\.1 201 [\s\S]*"accepted":1501/);
    expect(world.queue.batches).toEqual([250, 250, 250, 250, 250, 250, 1]);
  });
});

it('tells what was stored of lines that stopped coming', async () => {
  const clock = new WatchedClock();
  await using world = await started({ clock });
  const answer = raw(world.port, [
    head('POST', '/api/tasks/bulk', {
      host: `localhost:${world.port}`,
      'content-type': 'application/x-ndjson',
      'content-length': '1000',
    }),
    '{"task_type":"email"}\n{"task_ty',
  ]);
  while (clock.asked.filter((ms) => ms === 30_000).length < 2) await turn();
  await clock.advance(30_000);
  expect(await answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*"accepted":1/);
});

function refuses(check: () => void): boolean {
  try {
    check();
    return false;
  } catch {
    return true;
  }
}
