/**
 * What comes to the port and is no request: garbage, halves, contradictions, floods, and clients that take for ever.
 * Each is told so or closed in bounded time, and others are served meanwhile (catalogue 47 to 50).
 */
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '#queue/contract/limits';
import { problemFaults } from '../support/contract-answer';
import { exchange } from '../support/exact-http';
import { nested } from '../support/hostile-values';
import { InputWorld } from '../support/input-world';
import { waitFor } from '../support/millrace-process';
import { PeakMemory, residentBytes } from '../support/process-probe';

const MiB = 1024 * 1024;
/** Of headers that do not end: the server's own bound is 10 s, looked at every second. */
const HEADERS_MS = 12_000;
/** Of a body that does not come, 30 s. */
const BODY_MS = 33_000;
/** Others are answered within this, whatever goes on. */
const SERVED_MS = 1000;

let input: InputWorld;
let host: string;
beforeAll(async () => {
  input = await InputWorld.start();
  host = `Host: 127.0.0.1:${input.port}`;
});
afterAll(() => input?.[Symbol.asyncDispose]());

const head = (line: string, ...headers: string[]) => `${[line, host, ...headers].join('\r\n')}\r\n\r\n`;
const post = (...headers: string[]) => head('POST /api/tasks HTTP/1.1', 'Content-Type: application/json', ...headers);
const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

/** Somebody else's request, from now. */
async function served(): Promise<number> {
  const { status, ms } = await input.http.send({ method: 'GET', path: '/api/tasks?limit=1', headers: {}, body: null });
  expect(status).toBe(200);
  return ms;
}

describe('bytes that are no request', () => {
  it.each<[string, string, number]>([
    ['nothing that is text', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['another protocol', 'EHLO mail\r\n', 400],
    ['a request line of three words too many', 'GET / / / HTTP/1.1\r\n\r\n', 400],
    ['a version of the future', 'GET / HTTP/9.9\r\n\r\n', 400],
    ['a method that nobody knows', 'BREW /pot HTTP/1.1\r\n\r\n', 400],
    ['a header without a colon', 'GET /health HTTP/1.1\r\nHost localhost\r\n\r\n', 400],
    ['a folded header', 'GET /health HTTP/1.1\r\nA: b\r\n c\r\n\r\n', 400],
    ['NUL in a header', 'GET /health HTTP/1.1\r\nA: b\0c\r\n\r\n', 400],
    ['no Host', 'GET /health HTTP/1.1\r\n\r\n', 400],
    ['headers of 9 KiB', `GET /health HTTP/1.1\r\nA: ${'x'.repeat(9 * 1024)}\r\n\r\n`, 431],
    ['a path of 9 KiB', `GET /${'x'.repeat(9 * 1024)} HTTP/1.1\r\n\r\n`, 431],
    ['5000 headers', `GET /health HTTP/1.1\r\n${'A: b\r\n'.repeat(5000)}\r\n`, 431],
  ])('%s is refused at once and the connection closed', async (_, bytes, status) => {
    const { text, closedMs } = await exchange(input.port, [bytes], 5000);
    expect(statuses(text)).toEqual([status]);
    expect(closedMs).toBeLessThan(2000);
  });

  it.each<[string, () => string[]]>([
    ['two lengths that differ', () => [post('Content-Length: 2', 'Content-Length: 30'), '{}']],
    ['a length and chunks', () => [post('Content-Length: 2', 'Transfer-Encoding: chunked'), '0\r\n\r\n']],
    ['a length that is none', () => [post('Content-Length: -1'), '{}']],
    ['a length that is a word', () => [post('Content-Length: 0x10'), '{}']],
    ['chunks whose size is none', () => [post('Transfer-Encoding: chunked'), 'zz\r\n{}\r\n0\r\n\r\n']],
    ['chunks longer than they say', () => [post('Transfer-Encoding: chunked'), '1\r\n{}}}}\r\n0\r\n\r\n']],
    ['an encoding that there is not', () => [post('Transfer-Encoding: gzip, identity'), '{}']],
  ])('%s: nobody can smuggle a second request behind it', async (_, parts) => {
    const smuggled = head('DELETE /api/pools/none HTTP/1.1');
    const { text, closedMs } = await exchange(input.port, [...parts(), smuggled], 5000);
    const answers = statuses(text);
    expect(answers.length).toBeLessThanOrEqual(1);
    expect(answers.every((status) => status >= 400 && status < 500)).toBe(true);
    expect(closedMs).toBeLessThan(2000);
  });

  it('answers requests that come all at once in their order', async () => {
    const get = head('GET /api/tasks?limit=1 HTTP/1.1');
    const last = head('GET /api/none HTTP/1.1', 'Connection: close');
    const { text, closedMs } = await exchange(input.port, [get.repeat(50) + last], 10_000);
    expect(statuses(text)).toEqual([...Array.from({ length: 50 }, () => 200), 404]);
    expect(closedMs).not.toBeNull();
  });

  it('is not shaken by anything that may come', async () => {
    const words = [
      'GET ',
      'POST ',
      '/api/tasks',
      ' HTTP/1.1',
      '\r\n',
      '\n',
      '\r',
      ': ',
      'Host',
      'Content-Length',
      '0',
      '\0',
    ];
    const bytes = fc.array(
      fc.oneof(
        fc.constantFrom(...words),
        fc.uint8Array({ maxLength: 20 }).map((all) => Buffer.from(all).toString('latin1')),
      ),
      { minLength: 1, maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { minLength: 20, maxLength: 20 }), async (all) => {
        const answers = await Promise.all(all.map((parts) => exchange(input.port, [parts.join('')], 50)));
        for (const { text } of answers) expect(statuses(text).filter((status) => status >= 500)).toEqual([]);
        expect(await served()).toBeLessThan(SERVED_MS);
      }),
      { numRuns: 30 },
    );
  });
});

describe('bodies that are too large', () => {
  /** A problem document, whole. */
  const COMPLETE = /\r\n\r\n[^]*"code"[^]*\}/;
  const pad = (bytes: number) => `{"task_type":"echo","name":"${'x'.repeat(bytes - 30)}"}`;

  it.each<[string, number, boolean]>([
    ['1 MiB and one byte, as declared', MiB + 1, true],
    ['1 MiB and one byte, in chunks', MiB + 1, false],
    ['10 MiB, as declared', 10 * MiB, true],
    ['10 MiB, in chunks', 10 * MiB, false],
  ])('%s: 413, and no more of it is held than the limit', async (_, bytes, declared) => {
    const before = residentBytes(input.server.pid);
    using peak = new PeakMemory(input.server.pid);
    const body = pad(bytes);
    const parts = declared
      ? [post(`Content-Length: ${bytes}`), body]
      : [post('Transfer-Encoding: chunked'), `${bytes.toString(16)}\r\n`, body, '\r\n0\r\n\r\n'];
    const answers = await Promise.all(Array.from({ length: 20 }, () => exchange(input.port, parts, 10_000, COMPLETE)));
    for (const { text } of answers) {
      expect(statuses(text)).toEqual([413]);
      const document = text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1);
      expect(JSON.parse(document)).toMatchObject({
        status: 413,
        code: 'BODY_TOO_LARGE',
        limit_bytes: LIMITS.bodyBytes,
      });
    }
    // 20 at a time, each of the limit and a copy; never the 200 MB that were sent.
    expect(peak.bytes - before).toBeLessThan(100 * MiB);
  });

  it('closes the connection of one that goes on sending', async () => {
    const socket = connect(input.port, '127.0.0.1', () => socket.write(post('Transfer-Encoding: chunked')));
    socket.on('error', () => undefined);
    const chunk = Buffer.from(`10000\r\n${'x'.repeat(0x10000)}\r\n`);
    let sent = 0;
    const sending = setInterval(() => {
      if (!socket.writable || socket.writableLength > MiB) return;
      socket.write(chunk);
      sent += chunk.length;
    }, 5);
    await waitFor('the end of the connection', () => (socket.closed ? true : null), 10_000);
    clearInterval(sending);
    expect(sent).toBeGreaterThan(LIMITS.bodyBytes);
  });

  it('one byte less is looked at, and nothing at all is told to be nothing', async () => {
    const full = await input.http.json('POST', '/api/tasks', pad(MiB));
    expect([full.status, problemFaults(null, full)]).toEqual([422, []]);
    const empty = await input.http.json('POST', '/api/tasks', '');
    expect([empty.status, problemFaults(null, empty)]).toEqual([400, []]);
  });

  it.each<[string, string, string, number]>([
    ['nesting of 100 000 levels', '/api/tasks', `{"task_type":"echo","payload":{"a":${nested(100_000).text}}}`, 422],
    [
      'a million keys',
      '/api/tasks',
      `{"task_type":"echo","payload":{${Array.from({ length: 1_000_000 }, (_, n) => `"${n}":0`).join(',')}}}`,
      413,
    ],
    [
      '70 000 keys',
      '/api/tasks',
      `{"task_type":"echo","payload":{${Array.from({ length: 70_000 }, (_, n) => `"k${n}":0`).join(',')}}}`,
      413,
    ],
    [
      'a million unknown fields, in bulk',
      '/api/tasks/bulk',
      `{${Array.from({ length: 1_000_000 }, (_, n) => `"${n}":0`).join(',')}}`,
      422,
    ],
    ['a million empty tasks, in bulk', '/api/tasks/bulk', `{"tasks":[${'{},'.repeat(999_999)}{}]}`, 422],
    ['nesting of 10 000 000 levels, in bulk', '/api/tasks/bulk', `{"tasks":${nested(10_000_000).text}}`, 422],
  ])('%s: a clear refusal, while others are served', async (_, path, body, status) => {
    const answer = input.http.json('POST', path, body);
    const others = await served();
    const { status: got, ms, ...rest } = await answer;
    expect([got, problemFaults(null, { status: got, ms, ...rest })]).toEqual([status, []]);
    expect(rest.body.length).toBeLessThan(100_000);
    expect([ms, others].every((waited) => waited < 3000)).toBe(true);
  });
});

/** Opens so many connections that send a byte a second of `first` and what follows, for ever. */
class Dribblers implements Disposable {
  readonly sockets: Socket[] = [];
  /** When each was closed, ms from the start. */
  readonly closedMs: number[] = [];
  readonly answers: string[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(port: number, count: number, first: string) {
    const began = performance.now();
    for (let n = 0; n < count; n++) {
      const socket = connect(port, '127.0.0.1', () => socket.write(first));
      let text = '';
      socket.on('data', (data) => {
        text += data.toString('latin1');
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.closedMs.push(performance.now() - began);
        this.answers.push(text);
      });
      this.sockets.push(socket);
    }
    this.#timer = setInterval(() => {
      for (const socket of this.sockets) if (socket.writable) socket.write('a');
    }, 1000);
  }

  /** All of them are closed. */
  ended(ms: number): Promise<true> {
    return waitFor(
      'the slow clients to be closed',
      () => (this.closedMs.length === this.sockets.length ? true : null),
      ms,
    );
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const socket of this.sockets) socket.destroy();
  }
}

describe('clients that take for ever', () => {
  it('have their connections closed, 500 of each kind at a time, and keep nobody else waiting', async () => {
    const before = await input.probe.look(input.server);
    // Time itself is the fault: the bounds are 10 and 30 seconds.
    using headers = new Dribblers(input.port, 500, `GET /health HTTP/1.1\r\n${host}\r\nX-Slow: `);
    using bodies = new Dribblers(input.port, 500, `${post('Content-Length: 1000')}{"task_type":"`);
    const waits: number[] = [];
    const others = setInterval(() => void served().then((ms) => waits.push(ms)), 250);
    await headers.ended(HEADERS_MS + 5000);
    await bodies.ended(BODY_MS + 5000);
    clearInterval(others);
    expect(Math.max(...headers.closedMs)).toBeLessThan(HEADERS_MS);
    expect(new Set(headers.answers.flatMap(statuses))).toEqual(new Set([408]));
    expect(Math.max(...bodies.closedMs)).toBeLessThan(BODY_MS);
    expect(new Set(bodies.answers.flatMap(statuses))).toEqual(new Set([400]));
    expect(Math.max(...waits)).toBeLessThan(SERVED_MS);
    const after = await input.probe.look(input.server);
    expect(after.heldBytes - before.heldBytes).toBeLessThan(10 * MiB);
  });
});

it('has done all that and still does its work', async () => {
  const { grown, violations } = await input.stillWorks();
  const alarms = input.logged.split('\n').filter((line) => /unexpected|unhandled|"level":"(error|fatal)"/i.test(line));
  expect({ alarms, grown, violations }).toEqual({ alarms: [], grown: [], violations: [] });
});
