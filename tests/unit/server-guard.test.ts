import { describe, expect, it } from 'vitest';
import { checkRequest, corsHeaders, hostPolicy, type RequestHeaders } from '#main/server/guard';
import { requireTokenOrRefuse } from '#main/server/token-rule';
import { isLoopbackHost } from '#queue/kernel/loopback';

const policy = hostPolicy({
  port: 8000,
  names: ['127.0.0.1'],
  allowedHosts: ['queue.example', 'other.example:443'],
  allowedOrigins: ['http://localhost:5173'],
});
const verdict = (headers: RequestHeaders): number => {
  try {
    checkRequest(headers, policy);
    return 200;
  } catch (error) {
    return (error as { status: number }).status;
  }
};

describe('the Host', () => {
  it.each([
    '127.0.0.1:8000',
    'localhost:8000',
    '[::1]:8000',
    'localhost',
    'LOCALHOST:8000',
    'queue.example',
    'queue.example:8000',
    'other.example:443',
  ])('%s is served', (host) => {
    expect(verdict({ host })).toBe(200);
  });

  it.each([
    'evil.example',
    'localhost:8001',
    'localhost.evil.example:8000',
    '127.0.0.1.nip.io:8000',
    'evil@localhost:8000',
    'localhost:8000.evil.example',
    '127.0.0.2:8000',
    'other.example',
    '0.0.0.0:8000',
    '2130706433:8000',
    '',
    'localhost:8000,evil.example',
  ])('%s is refused with 421', (host) => {
    expect(verdict({ host })).toBe(421);
  });

  it('is refused with 421 where it is missing or given twice', () => {
    expect(verdict({})).toBe(421);
    expect(verdict({ host: ['localhost:8000', 'localhost:8000'] })).toBe(421);
  });

  it('may be an address that the server is bound to', () => {
    const bound = hostPolicy({ port: 80, names: ['192.168.1.5', 'fe80::1'], allowedHosts: [], allowedOrigins: [] });
    for (const host of ['192.168.1.5', '192.168.1.5:80', '[fe80::1]']) checkRequest({ host }, bound);
    expect(() => checkRequest({ host: '192.168.1.6' }, bound)).toThrow();
  });
});

describe('the Origin', () => {
  const host = 'localhost:8000';

  it.each(['http://localhost:8000', 'https://localhost:8000', 'http://localhost:5173'])('%s may call', (origin) => {
    expect(verdict({ host, origin })).toBe(200);
  });

  it.each([
    'null',
    '',
    'http://evil.example',
    'http://localhost:3000',
    'http://127.0.0.1:8000',
    'http://localhost',
    'http://localhost:8000.evil.example',
    'file://',
    'chrome-extension://abc',
    'http://localhost:8000/',
  ])('%s is refused with 403', (origin) => {
    expect(verdict({ host, origin })).toBe(403);
  });

  it('is refused where it is given twice', () => {
    expect(verdict({ host, origin: ['http://localhost:8000', 'http://evil.example'] })).toBe(403);
  });

  it('is no way around the Host', () => {
    expect(verdict({ host: 'evil.example', origin: 'http://evil.example' })).toBe(421);
  });

  it.each([
    ['same-origin', 200],
    ['none', 200],
    ['cross-site', 403],
    ['same-site', 403],
  ])('where it is absent, Sec-Fetch-Site %s gives %d', (site, status) => {
    expect(verdict({ host, 'sec-fetch-site': site })).toBe(status);
  });

  it('may be absent where a link of another site is followed, but not in a frame', () => {
    const link = { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect(verdict({ ...link, 'sec-fetch-dest': 'document' })).toBe(200);
    expect(verdict({ ...link, 'sec-fetch-dest': 'iframe' })).toBe(403);
    expect(verdict({ ...link, 'sec-fetch-dest': 'document', origin: 'http://evil.example' })).toBe(403);
  });

  it('that is allowed may be of another site', () => {
    expect(verdict({ host, origin: 'http://localhost:5173', 'sec-fetch-site': 'same-site' })).toBe(200);
  });
});

it('lets pages of configured origins read the answers, and no others', () => {
  expect(corsHeaders({ origin: 'http://localhost:5173' }, policy)['access-control-allow-origin']).toBe(
    'http://localhost:5173',
  );
  for (const origin of ['http://evil.example', 'null', '*']) expect(corsHeaders({ origin }, policy)).toEqual({});
  expect(corsHeaders({}, policy)).toEqual({});
});

describe('the rule when a token is needed', () => {
  it.each(['127.0.0.1', 'localhost', '::1', '[::1]', '127.9.9.9', '::ffff:127.0.0.1'])('%s is this machine', (host) => {
    expect(isLoopbackHost(host)).toBe(true);
  });

  it.each(['0.0.0.0', '::', '192.168.0.1', 'localhost.example', '127.example', '', '128.0.0.1'])(
    '"%s" is not',
    (host) => {
      expect(isLoopbackHost(host)).toBe(false);
    },
  );

  it('needs none only where both the API and its Redis are on this machine', () => {
    expect(requireTokenOrRefuse('127.0.0.1', true, 0)).toEqual({ required: false });
    expect(requireTokenOrRefuse('0.0.0.0', true, 1)).toEqual({ required: true });
    expect(requireTokenOrRefuse('127.0.0.1', false, 1)).toEqual({ required: true });
    expect(() => requireTokenOrRefuse('0.0.0.0', true, 0)).toThrow(/listens on 0\.0\.0\.0.*MILLRACE_TOKEN/);
    expect(() => requireTokenOrRefuse('127.0.0.1', false, 0)).toThrow(/Redis is on another machine/);
  });
});
