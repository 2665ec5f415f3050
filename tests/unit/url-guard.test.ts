import type { LookupAddress } from 'node:dns';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createAddressPolicy } from '#worker/guard/address-policy';
import { FatalError, type GuardedResponse } from '#worker/handler';
import { createGuardedFetch, type UrlGuardConfig } from '#worker/url-guard';
import { type Answer, startHttpServer } from '../support/http-server';

const guard = (config: Partial<UrlGuardConfig> = {}) =>
  createGuardedFetch({ allowPrivate: false, allowHosts: [], refuse: [], connectTimeoutMs: 2000, ...config });

const { signal } = new AbortController();
const ok: Answer = (_request, response) => void response.end('fine');
const addresses = (...list: string[]): LookupAddress[] =>
  list.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

async function textOf(response: GuardedResponse): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response.body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

describe('addresses', () => {
  const policy = createAddressPolicy({ allowPrivate: false, allowHosts: [], refuse: [] });
  const refusal = (address: string) => policy.refusesAddress({ host: 'example.com', port: 443 }, address);

  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['10.1.2.3', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'carrier-grade NAT'],
    ['100.127.255.255', 'carrier-grade NAT'],
    ['169.254.169.254', 'link-local'],
    ['192.0.0.8', 'reserved'],
    ['192.0.2.1', 'reserved'],
    ['192.88.99.1', 'reserved'],
    ['198.18.0.1', 'reserved'],
    ['198.51.100.1', 'reserved'],
    ['203.0.113.1', 'reserved'],
    ['224.0.0.1', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'broadcast'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:a00:1', 'private'],
    ['::7f00:1', 'reserved'],
    ['64:ff9b::7f00:1', 'loopback'],
    ['64:ff9b::a9fe:a9fe', 'link-local'],
    ['64:ff9b:1::1', 'NAT64'],
    ['2002:7f00:1::', '6to4'],
    ['2001:0:4136:e378::1', 'Teredo'],
    ['2001:db8::1', 'reserved'],
    ['3fff::1', 'reserved'],
    ['5f00::1', 'reserved'],
    ['100::1', 'reserved'],
    ['4000::1', 'reserved'],
    ['fc00::1', 'unique-local'],
    ['fd12:3456::1', 'unique-local'],
    ['fe80::1', 'link-local'],
    ['fec0::1', 'site-local'],
    ['ff02::1', 'multicast'],
  ])('refuses %s as %s', (address, kind) => {
    expect(refusal(address)).toContain(`${kind} address`);
  });

  it.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111', '::ffff:8.8.8.8', '64:ff9b::808:808'])(
    'takes %s',
    (address) => {
      expect(refusal(address)).toBeNull();
    },
  );

  it('takes public addresses on ports 80 and 443, and on others only where they are allowed', () => {
    const strict = createAddressPolicy({ allowPrivate: true, allowHosts: ['api.example.com:8443'], refuse: [] });
    expect(strict.refusesAddress({ host: 'api.example.com', port: 80 }, '8.8.8.8')).toBeNull();
    expect(strict.refusesAddress({ host: 'api.example.com', port: 8443 }, '8.8.8.8')).toBeNull();
    expect(strict.refusesAddress({ host: 'api.example.com', port: 25 }, '8.8.8.8')).toContain('port 25');
  });

  it('keeps link-local addresses, where clouds hand out credentials, closed to allowPrivate, and opens them by name', () => {
    const target = { host: '169.254.169.254', port: 80 };
    const open = (allowHosts: string[]) =>
      createAddressPolicy({ allowPrivate: true, allowHosts, refuse: [] }).refusesAddress(target, target.host);
    expect(open([])).toContain('link-local');
    expect(open(['169.254.0.0/16'])).toBeNull();
    expect(open(['169.254.169.254:81'])).toContain('link-local');
  });

  it.each([
    ['10.0.0.0/8', 'intra.example', 8080, '10.2.3.4', true],
    ['10.0.0.0/8', 'intra.example', 8080, '192.168.0.1', false],
    ['intra.example', 'INTRA.example.', 8080, '10.2.3.4', true],
    ['intra.example:8080', 'intra.example', 8080, '10.2.3.4', true],
    ['intra.example:8080', 'intra.example', 8081, '10.2.3.4', false],
    ['10.2.3.4', 'intra.example', 8080, '10.2.3.4', true],
    ['[fd00::5]:8080', 'intra.example', 8080, 'fd00::5', true],
    ['fd00::/8', 'intra.example', 8080, 'fd00::5', true],
    ['127.0.0.0/8', '::ffff:127.0.0.1', 8080, '::ffff:127.0.0.1', true],
    ['example', 'intra.example', 8080, '10.2.3.4', false],
  ])('the allowed host %s, asked for %s:%i at %s: %s', (entry, host, port, address, open) => {
    const allowing = createAddressPolicy({ allowPrivate: false, allowHosts: [entry], refuse: [] });
    expect(allowing.refusesAddress({ host, port }, address) === null).toBe(open);
  });

  it.each(['10.0.0.0/99', '', 'http://x y', 'user@host'])('refuses the allowed host "%s" at the start', (entry) => {
    expect(() => createAddressPolicy({ allowPrivate: false, allowHosts: [entry], refuse: [] })).toThrow(TypeError);
  });
});

describe('guarded fetch', () => {
  it('refuses a loopback address, saying which, why and how to allow it, and nothing arrives', async () => {
    await using server = await startHttpServer(ok);
    const call = guard()(`${server.origin}/`, { signal });
    await expect(call).rejects.toThrow(FatalError);
    await expect(call).rejects.toThrow(
      `127.0.0.1 is a loopback address; to allow it, add 127.0.0.1:${server.port} to MILLRACE_ALLOW_PRIVATE`,
    );
    expect(server.received).toEqual([]);
  });

  it.each([
    'http://2130706433/',
    'http://0x7f.1/',
    'http://127.1/',
    'http://017700000001/',
    'http://[::ffff:7f00:1]/',
    'http://[::]/',
    'http://0/',
  ])('is not fooled by another spelling of this machine: %s', async (url) => {
    await expect(guard()(url, { signal })).rejects.toThrow(/(loopback|unspecified) address/);
  });

  it('reads an allowed address', async () => {
    await using server = await startHttpServer(ok);
    const response = await guard({ allowHosts: [`127.0.0.1:${server.port}`] })(server.origin, { signal });
    expect(response.status).toBe(200);
    expect(await textOf(response)).toBe('fine');
  });

  it.each(['ftp://example.com/', 'file:///etc/passwd', 'data:text/plain,hi', 'gopher://example.com/'])(
    'refuses %s',
    async (url) => {
      await expect(guard()(url, { signal })).rejects.toThrow(/only http and https/);
    },
  );

  it('refuses credentials in the URL without repeating them', async () => {
    const error = await guard()('http://user:hunter2@example.com/', { signal }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FatalError);
    expect(String(error)).toContain('credentials');
    expect(String(error)).not.toContain('hunter2');
  });

  it('refuses a name when only one of its addresses is private', async () => {
    const fetch = guard({ resolve: async () => addresses('8.8.8.8', '10.0.0.7') });
    await expect(fetch('http://mixed.example/', { signal })).rejects.toThrow(
      'mixed.example is at 10.0.0.7, which is a private address',
    );
  });

  it('asks the DNS once and dials the address it checked, so that a second answer changes nothing', async () => {
    await using server = await startHttpServer(ok);
    const answers = [addresses('127.0.0.1'), addresses('169.254.169.254')];
    let asked = 0;
    const fetch = guard({ allowHosts: ['127.0.0.0/8'], resolve: async () => answers[asked++] ?? [] });
    expect(await textOf(await fetch(`http://rebind.example:${server.port}/`, { signal }))).toBe('fine');
    expect(asked).toBe(1);
    expect(server.received[0]?.headers.host).toBe(`rebind.example:${server.port}`);
  });

  it('gives up on a name that is not resolved in time', async () => {
    const fetch = guard({ connectTimeoutMs: 20, resolve: () => new Promise(() => undefined) });
    await expect(fetch('http://slow.example/', { signal })).rejects.toThrow(
      'slow.example was not resolved within 20 ms',
    );
  });

  it.each([
    ['its address', '127.0.0.1', '127.0.0.1'],
    ['localhost', 'localhost', '127.0.0.1'],
    ['another spelling', '[::ffff:127.0.0.1]', '127.0.0.1'],
    ['another name', 'innocent.example', '127.0.0.1'],
    ['the unspecified address', '0.0.0.0', '127.0.0.1'],
    ['a name, refused by name', 'redis.internal', 'redis.internal'],
    ['an alias of a name that is refused', 'alias.internal', 'redis.internal'],
  ])('never calls our own services, whatever is allowed: by %s', async (_how, host, own) => {
    await using server = await startHttpServer(ok);
    const fetch = guard({
      allowPrivate: true,
      allowHosts: [host, '0.0.0.0/0'],
      refuse: [{ host: own, port: server.port }],
      resolve: async () => addresses('127.0.0.1'),
    });
    await expect(fetch(`http://${host}:${server.port}/`, { signal })).rejects.toThrow(
      'is a service of Millrace itself',
    );
    expect(server.received).toEqual([]);
  });

  it('reports a refused connection as an error that may pass', async () => {
    const closed = await startHttpServer(ok);
    await closed[Symbol.asyncDispose]();
    const error = await guard({ allowPrivate: true })(closed.origin, { signal }).catch((caught: unknown) => caught);
    expect(error).not.toBeInstanceOf(FatalError);
    expect(String(error)).toContain(`${closed.origin} did not answer: connect ECONNREFUSED`);
  });

  it('ends with the reason of its signal, before and during the answer', async () => {
    const controller = new AbortController();
    const reason = new Error('cancelled by hand');
    await using server = await startHttpServer(() => controller.abort(reason));
    const fetch = guard({ allowPrivate: true });
    await expect(fetch(server.origin, { signal: controller.signal })).rejects.toBe(reason);
    await expect(fetch(server.origin, { signal: controller.signal })).rejects.toBe(reason);
    expect(server.received).toHaveLength(1);
  });

  it.each(['CONNECT', 'TRACE', 'BREW'])('refuses the method %s', async (method) => {
    await expect(guard()('http://example.com/', { method, signal })).rejects.toThrow(FatalError);
  });

  it('refuses a header that would break out of its line', async () => {
    await using server = await startHttpServer(ok);
    const call = guard({ allowPrivate: true })(server.origin, { headers: { 'x-a': 'b\r\nx-injected: 1' }, signal });
    await expect(call).rejects.toThrow(FatalError);
    expect(server.received).toEqual([]);
  });
});

describe('redirects', () => {
  it('checks every hop: a public-looking start cannot lead to a private address', async () => {
    await using inner = await startHttpServer(ok);
    await using outer = await startHttpServer(
      (_request, response) => void response.writeHead(302, { location: `${inner.origin}/admin` }).end(),
    );
    const call = guard({ allowHosts: [`127.0.0.1:${outer.port}`] })(outer.origin, { signal });
    await expect(call).rejects.toThrow('after a redirect: 127.0.0.1 is a loopback address');
    await expect(call).rejects.toBeInstanceOf(FatalError);
    expect(inner.received).toEqual([]);
  });

  it('checks the scheme of a hop', async () => {
    await using server = await startHttpServer(
      (_request, response) => void response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    );
    await expect(guard({ allowPrivate: true })(server.origin, { signal })).rejects.toThrow('only http and https');
  });

  it('follows three and refuses the fourth', async () => {
    await using server = await startHttpServer(({ url }, response) => {
      const left = Number(url.slice(1));
      if (left === 0) response.end('there');
      else response.writeHead(302, { location: `/${left - 1}` }).end();
    });
    const fetch = guard({ allowPrivate: true });
    const response = await fetch(`${server.origin}/3`, { signal });
    expect(await textOf(response)).toBe('there');
    expect(response.url).toBe(`${server.origin}/0`);
    await expect(fetch(`${server.origin}/4`, { signal })).rejects.toThrow('redirects more than 3 times');
  });

  it('leaves secrets behind when it goes to another origin, and keeps them within one', async () => {
    await using other = await startHttpServer(ok);
    await using first = await startHttpServer(({ url }, response) => {
      const location = url === '/' ? '/again' : other.origin;
      response.writeHead(307, { location }).end();
    });
    const headers = { Authorization: 'Bearer s3cret', Cookie: 'a=b', 'X-Api-Key': 'k', Accept: 'text/plain' };
    await textOf(await guard({ allowPrivate: true })(first.origin, { method: 'POST', body: 'data', headers, signal }));
    expect(first.received[1]?.headers).toMatchObject({
      authorization: 'Bearer s3cret',
      cookie: 'a=b',
      'x-api-key': 'k',
    });
    expect(other.received[0]).toMatchObject({ method: 'POST', body: 'data' });
    expect(other.received[0]?.headers).toMatchObject({ accept: 'text/plain' });
    for (const name of ['authorization', 'cookie', 'x-api-key'])
      expect(other.received[0]?.headers).not.toHaveProperty(name);
  });

  it.each([
    [301, 'POST', 'GET'],
    [302, 'POST', 'GET'],
    [303, 'PUT', 'GET'],
    [307, 'PUT', 'PUT'],
    [308, 'POST', 'POST'],
  ])('at %i turns a %s into a %s', async (status, method, then) => {
    await using server = await startHttpServer(({ url }, response) => {
      if (url === '/') response.writeHead(status, { location: '/next' }).end();
      else response.end();
    });
    const headers = { 'content-type': 'text/plain' };
    await textOf(await guard({ allowPrivate: true })(server.origin, { method, body: 'data', headers, signal }));
    const kept = then !== 'GET';
    expect(server.received[1]).toMatchObject({ method: then, body: kept ? 'data' : '' });
    expect(server.received[1]?.headers['content-type']).toBe(kept ? 'text/plain' : undefined);
  });
});

describe('bodies', () => {
  const served = (body: Buffer | string, headers: Record<string, string> = {}) =>
    startHttpServer((_request, response) => void response.writeHead(200, headers).end(body));

  it.each([
    ['gzip', gzipSync('unpacked')],
    ['br', brotliCompressSync('unpacked')],
  ])('unpacks %s, and no longer says that it is packed', async (encoding, body) => {
    await using server = await served(body, { 'content-encoding': encoding });
    const response = await guard({ allowPrivate: true })(server.origin, { signal });
    expect(await textOf(response)).toBe('unpacked');
    expect(response.headers).not.toHaveProperty('content-encoding');
    expect(response.headers).not.toHaveProperty('content-length');
  });

  it('cuts off a small answer that unpacks to a very large one', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(100_000);
    await using server = await served(bomb, { 'content-encoding': 'gzip' });
    const response = await guard({ allowPrivate: true })(server.origin, { signal, maxBytes: 1_000_000 });
    let read = 0;
    const reading = (async () => {
      for await (const chunk of response.body) read += Buffer.from(chunk).length;
    })();
    await expect(reading).rejects.toThrow(`the answer of ${server.origin} is larger than 1000000 bytes`);
    expect(read).toBeLessThanOrEqual(1_000_000);
  });

  it('refuses packing within packing', async () => {
    await using server = await served(gzipSync(gzipSync('x')), { 'content-encoding': 'gzip, gzip' });
    await expect(guard({ allowPrivate: true })(server.origin, { signal })).rejects.toThrow('not understood');
  });

  it('takes a body of exactly the bound and refuses one byte more, said in advance or not', async () => {
    const fetch = guard({ allowPrivate: true });
    await using server = await startHttpServer(({ url }, response) => {
      const body = 'x'.repeat(Number(url.slice(2)));
      if (url.startsWith('/c')) response.write(body.slice(0, 1)); // chunked: no length in the head
      response.end(url.startsWith('/c') ? body.slice(1) : body);
    });
    for (const kind of ['l', 'c']) {
      expect(await textOf(await fetch(`${server.origin}/${kind}10`, { signal, maxBytes: 10 }))).toHaveLength(10);
      const large = async () => textOf(await fetch(`${server.origin}/${kind}11`, { signal, maxBytes: 10 }));
      await expect(large()).rejects.toThrow('larger than 10 bytes');
    }
  });

  it('reports an answer that breaks off', async () => {
    await using server = await startHttpServer((_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.destroy());
    });
    const response = await guard({ allowPrivate: true })(server.origin, { signal });
    await expect(textOf(response)).rejects.toThrow();
  });

  it('has an empty body for HEAD, even where the head names an encoding', async () => {
    await using server = await served('', { 'content-encoding': 'gzip' });
    const response = await guard({ allowPrivate: true })(server.origin, { method: 'HEAD', signal });
    expect(await textOf(response)).toBe('');
  });
});
