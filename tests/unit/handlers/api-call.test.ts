import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FatalError, RetryLater } from '#worker/handler';
import { ApiCallPayload, createApiCallHandler } from '#worker/handlers/api-call';
import { createGuardedFetch } from '#worker/url-guard';
import {
  type ContextOptions,
  createBuiltInConfig,
  createContext,
  createTempFolder,
  runHandler,
  TEST_TASK_ID,
} from '../../support/handler-context';
import { type Answer, startHttpServer } from '../../support/http-server';
import { ManualClock } from '../../support/manual-clock';

const json = { 'content-type': 'application/json; charset=utf-8' };

/** A handler that may call loopback, and a server that answers as told. */
async function setup(answer: Answer, allowPrivate = true) {
  const server = await startHttpServer(answer);
  const clock = new ManualClock(Date.parse('2026-01-31T12:00:00Z'));
  const fetch = createGuardedFetch({ allowPrivate, allowHosts: [], refuse: [], connectTimeoutMs: 2000 });
  const handler = createApiCallHandler(createBuiltInConfig('/nonexistent', { fetch }), clock);
  return {
    server,
    handler,
    clock,
    run: (payload: Record<string, unknown> = {}, options: ContextOptions = {}) =>
      runHandler(handler, { url: server.origin, ...payload }, options),
    failure: (payload: Record<string, unknown> = {}) =>
      runHandler(handler, { url: server.origin, ...payload }).then(
        () => expect.fail('it should have failed'),
        (error: unknown) => error,
      ),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

describe('the request', () => {
  it('sends method, headers, query and a JSON body, and the id of the task as Idempotency-Key', async () => {
    await using world = await setup((_request, response) => void response.writeHead(201, json).end('{"id":7}'));
    const { result } = await world.run({
      url: `${world.server.origin}/orders?a=1`,
      method: 'put',
      headers: { 'X-Trace': 'abc' },
      query: { b: 2, c: ['x', 'y'], d: true },
      body: { amount: 3 },
    });
    expect(result).toMatchObject({ status: 201, body: { id: 7 } });
    const [request] = world.server.received;
    expect(request).toMatchObject({ method: 'PUT', url: '/orders?a=1&b=2&c=x&c=y&d=true', body: '{"amount":3}' });
    expect(request?.headers).toMatchObject({
      'x-trace': 'abc',
      'content-type': 'application/json',
      'idempotency-key': TEST_TASK_ID,
    });
  });

  it('is a GET without a body and a POST with one; text goes as it is', async () => {
    await using world = await setup((_request, response) => void response.end());
    await world.run();
    await world.run({
      body: 'a=1',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'Idempotency-Key': 'mine' },
    });
    expect(world.server.received.map(({ method, body }) => [method, body])).toEqual([
      ['GET', ''],
      ['POST', 'a=1'],
    ]);
    expect(world.server.received[1]?.headers).toMatchObject({
      'content-type': 'application/x-www-form-urlencoded',
      'idempotency-key': 'mine',
    });
  });

  it('refuses private addresses unless they are allowed, for good', async () => {
    await using world = await setup((_request, response) => void response.end(), false);
    const error = await world.failure();
    expect(error).toBeInstanceOf(FatalError);
    expect(String(error)).toContain('loopback address');
    expect(world.server.received).toEqual([]);
  });

  it.each([
    ['an unknown field', { url: 'http://a.example', colour: 'red' }],
    ['no url', {}],
    ['a method that is none', { url: 'http://a.example', method: 'BREW' }],
    ['a header of the connection', { url: 'http://a.example', headers: { Host: 'b.example' } }],
    ['a header with a line break', { url: 'http://a.example', headers: { 'x-a': 'b\r\nx-c: d' } }],
    ['a header name that is none', { url: 'http://a.example', headers: { 'x a': 'b' } }],
    ['a time-out of nothing', { url: 'http://a.example', timeout: 0 }],
    ['a bound beyond the bound', { url: 'http://a.example', max_bytes: 1e12 }],
  ])('does not take %s', (_what, payload) => {
    expect(ApiCallPayload.safeParse(payload).success).toBe(false);
  });

  it('has a payload that can be shown as a form', () => {
    const schema = z.toJSONSchema(ApiCallPayload, { io: 'input' });
    expect(schema.required).toEqual(['url']);
    expect(schema.properties?.method).toMatchObject({ enum: expect.arrayContaining(['GET', 'POST']) });
  });
});

describe('the answer', () => {
  it('is parsed where it says that it is JSON, and text where it is not', async () => {
    await using world = await setup(({ url }, response) => {
      if (url === '/json') response.writeHead(200, json).end('{"a":[1,2]}');
      else if (url === '/packed')
        response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(gzipSync('{"packed":true}'));
      else if (url === '/latin')
        response
          .writeHead(200, { 'content-type': 'text/plain; charset=iso-8859-1' })
          .end(Buffer.from([0x63, 0x61, 0x66, 0xe9]));
      else response.writeHead(200, { 'content-type': 'text/html' }).end('<p>hi</p>');
    });
    const body = async (path: string, more = {}) =>
      (await world.run({ url: world.server.origin + path, ...more })).result;
    expect(await body('/json')).toMatchObject({ body: { a: [1, 2] } });
    expect(await body('/json', { expect: 'text' })).toMatchObject({ body: '{"a":[1,2]}' });
    expect(await body('/packed')).toMatchObject({ body: { packed: true } });
    expect(await body('/latin')).toMatchObject({ body: 'café' });
    expect(await body('/html')).toMatchObject({ body: '<p>hi</p>' });
  });

  it('is base64 where it is not text', async () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x80]);
    await using world = await setup(
      (_request, response) => void response.writeHead(200, { 'content-type': 'image/png' }).end(bytes),
    );
    expect((await world.run()).result).toMatchObject({ body: bytes.toString('base64'), encoding: 'base64' });
  });

  it('fails, to be tried again, where JSON is expected and something else comes', async () => {
    await using world = await setup((_request, response) => void response.end('<html>log in</html>'));
    const error = await world.failure({ expect: 'json' });
    expect(error).not.toBeInstanceOf(FatalError);
    expect(String(error)).toContain('not JSON');
  });

  it('becomes a file where it does not fit into a result', async () => {
    const text = 'line of text\n'.repeat(30_000);
    await using folder = await createTempFolder();
    await using world = await setup(
      (_request, response) => void response.writeHead(200, { 'content-type': 'text/plain' }).end(text),
    );
    const { result } = await world.run({}, { folder: folder.path });
    expect(result).toMatchObject({
      body: null,
      artifact: { name: 'response.txt', bytes: text.length, media_type: 'text/plain' },
    });
    expect(await readFile(`${folder.path}/response.txt`, 'utf8')).toBe(text);
  });

  it('may not be larger than max_bytes, packed or not', async () => {
    await using world = await setup(({ url }, response) => {
      if (url === '/bomb')
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(20_000_000)));
      else response.end('x'.repeat(2000));
    });
    for (const path of ['/', '/bomb']) {
      const error = await world.failure({ url: world.server.origin + path, max_bytes: 1000 });
      expect(error).toBeInstanceOf(FatalError);
      expect(String(error)).toContain('larger than 1000 bytes');
    }
  });

  it('leaves cookies out of the result', async () => {
    await using world = await setup(
      (_request, response) => void response.writeHead(200, { 'set-cookie': 'session=s3cret', 'x-a': 'b' }).end(),
    );
    const { result } = await world.run();
    expect(result).toMatchObject({ headers: { 'x-a': 'b' }, body: null });
    expect(JSON.stringify(result)).not.toContain('s3cret');
  });

  it('is reported as it comes in', async () => {
    await using world = await setup((_request, response) => {
      const body = Buffer.alloc(3_000_000, 'a');
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': body.length }).end(body);
    });
    await using folder = await createTempFolder();
    const { progress } = await world.run({}, { folder: folder.path });
    expect(progress[0]).toEqual({ percent: 5, message: `GET ${world.server.origin}` });
    expect(progress[1]).toEqual({ percent: 30, message: 'answered 200' });
    expect(progress.length).toBeGreaterThan(4);
    expect(progress.at(-1)).toEqual({ percent: 95, message: '3000000 of 3000000 bytes' });
  });
});

describe('an answer of 400 and above', () => {
  it.each([400, 401, 403, 404, 409, 410, 422])('%i is final', async (status) => {
    await using world = await setup((_request, response) => void response.writeHead(status).end('no such order'));
    const error = await world.failure();
    expect(error).toBeInstanceOf(FatalError);
    expect(String(error)).toBe(`FatalError: GET ${world.server.origin} answered ${status}: no such order`);
  });

  it.each([429, 500, 502, 503, 504])('%i is retried by the back-off where the server names no time', async (status) => {
    await using world = await setup((_request, response) => void response.writeHead(status).end());
    const error = await world.failure();
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(FatalError);
    expect(error).not.toBeInstanceOf(RetryLater);
  });

  it.each([
    [429, '7', undefined, 7],
    [503, '0', undefined, 0],
    [429, 'Sat, 31 Jan 2026 12:01:30 GMT', 'Sat, 31 Jan 2026 12:00:00 GMT', 90],
    [429, 'Sat, 31 Jan 2026 11:00:00 GMT', 'Sat, 31 Jan 2026 12:00:00 GMT', 0],
    [429, '99999999', undefined, 86_400],
  ])('%i with Retry-After "%s" is retried at that time', async (status, retryAfter, date, seconds) => {
    await using world = await setup((_request, response) => {
      response.sendDate = false;
      response.writeHead(status, { 'retry-after': retryAfter, ...(date !== undefined && { date }) }).end();
    });
    const error = await world.failure();
    expect(error).toBeInstanceOf(RetryLater);
    expect(error).toMatchObject({ seconds });
  });

  it('measures a date by our own clock where the server does not tell the time', async () => {
    await using world = await setup((_request, response) => {
      response.sendDate = false;
      response.writeHead(503, { 'retry-after': 'Sat, 31 Jan 2026 12:00:20 GMT' }).end();
    });
    await world.clock.advance(5000);
    expect(await world.failure()).toMatchObject({ seconds: 15 });
  });

  it('never repeats a secret of the request, not even where the server does', async () => {
    await using world = await setup(
      ({ url, headers, body }, response) =>
        void response.writeHead(400).end(`${body} ${url} ${JSON.stringify(headers)}`),
    );
    const error = await world.failure({
      url: `${world.server.origin}/hooks/T0X1Y2Z3A4B5C6D7E8?api_key=query-s3cret`,
      headers: {
        Authorization: `Basic ${Buffer.from('ada:pass-w0rd').toString('base64')}`,
        'X-Api-Key': 'header-s3cret',
      },
      body: { password: 'body-s3cret', nested: [{ token: 'deep-s3cret' }] },
    });
    expect(String(error)).toContain('[redacted]');
    for (const secret of ['s3cret', 'pass-w0rd', 'T0X1Y2Z3', Buffer.from('ada:pass-w0rd').toString('base64')]) {
      expect(String(error)).not.toContain(secret);
    }
  });
});

describe('stopping', () => {
  it('gives up after its own time-out, to be tried again', async () => {
    await using world = await setup(() => undefined);
    const error = await world.failure({ timeout: 0.1 });
    expect(error).not.toBeInstanceOf(FatalError);
    expect(String(error)).toBe(`Error: ${world.server.origin} did not answer within 0.1 s`);
  });

  it('ends at once when the task is cancelled, also in the middle of an answer', async () => {
    const reason = new Error('the task was cancelled');
    const { context, abort } = createContext<ApiCallPayload>({ url: '' });
    await using world = await setup((_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half', () => abort(reason));
    });
    await expect(world.handler.run({ ...context, payload: { url: world.server.origin } })).rejects.toBe(reason);
  });
});
