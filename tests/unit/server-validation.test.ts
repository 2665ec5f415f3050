import { describe, expect, it } from 'vitest';
import { LIMITS } from '#queue/contract/limits';
import { createWorld } from '../support/api-world';

/** JSON of an object that is `depth` levels deep, itself included. */
const nested = (depth: number): string => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`;
/** A payload that is exactly so many bytes as JSON. */
const payloadOf = (bytes: number) => ({ t: 'x'.repeat(bytes - '{"t":""}'.length) });

async function submit(body: unknown, headers?: Record<string, string>) {
  const world = createWorld();
  const answer = await world.call('POST', '/api/tasks', body, headers);
  return { ...answer, stored: world.queue.tasks.size, queue: world.queue };
}

describe('fields of a task', () => {
  const bounds: [field: string, atBound: unknown[], past: unknown[]][] = [
    ['priority', [1, 10], [0, 11, -1, 256, 1.5, '5', null, 2 ** 53, true]],
    ['max_retries', [0, 100], [-1, 101, 0.5, '3', 1e9]],
    ['timeout', [0.1, 86_400], [0, 0.09, 86_401, -1, 1e18, '1']],
    ['name', ['', 'n'.repeat(LIMITS.nameLength), null, 'ünï 日本'], ['n'.repeat(LIMITS.nameLength + 1), 7, '\ud800']],
    [
      'task_type',
      ['a', `a${'_'.repeat(63)}`, 'a.b-c_9'],
      ['', 'A', '9a', `a${'_'.repeat(64)}`, 'a b', 'é', '__proto__', null, 5],
    ],
    [
      'queue',
      ['a', 'Z9', `a${'-'.repeat(63)}`, 'toString'],
      ['', '-a', `a${'-'.repeat(64)}`, 'a{b}', 'a:b', 'a b', 'q'.repeat(1024), '__proto__', null],
    ],
    [
      'tags',
      [[], Array.from({ length: 10 }, (_, i) => `t${i}`), ['t'.repeat(64)]],
      [Array.from({ length: 11 }, (_, i) => `t${i}`), ['t'.repeat(65)], [''], 'a', [1], null],
    ],
    ['owner', ['o'.repeat(LIMITS.ownerLength), null], ['o'.repeat(LIMITS.ownerLength + 1), '']],
    ['idempotency_key', ['k'.repeat(LIMITS.keyLength), null], ['k'.repeat(LIMITS.keyLength + 1), '', 5]],
    ['unique_key', ['k'.repeat(LIMITS.keyLength), null], ['k'.repeat(LIMITS.keyLength + 1), '']],
    [
      'run_at',
      ['2030-01-01T00:00:00Z', '2030-01-01T00:00:00.000+02:00', null],
      ['tomorrow', '2030-01-01', 1, '2030-13-01T00:00:00Z', '2030-01-01T00:00:00'],
    ],
    ['expires_at', ['2030-01-01T00:00:00Z', null], ['never', 0]],
    [
      'depends_on',
      [[], Array.from({ length: LIMITS.dependencies }, (_, i) => `01KA9Z6Q0MB0Q3T5V7X9Y${String(i).padStart(5, '0')}`)],
      [
        ['x'],
        'x',
        Array.from({ length: LIMITS.dependencies + 1 }, (_, i) => `01KA9Z6Q0MB0Q3T5V7X9Y${String(i).padStart(5, '0')}`),
      ],
    ],
    [
      'backoff',
      [{}, { type: 'fixed', base: 0, max: 604_800, jitter: 1 }],
      [{ type: 'linear' }, { base: -1 }, { jitter: 1.1 }, { max: 604_801 }, { base: 86_401 }, { colour: 1 }, null, 5],
    ],
    ['payload', [{}, { a: [1, null, 'x'], toString: 1, constructor: { prototype: 1 } }], [[], 'x', 5, null]],
  ];

  it.each(bounds)('%s is taken at its bounds and refused past them', async (field, atBound, past) => {
    for (const value of atBound) {
      const { status, text } = await submit({ task_type: 'email', [field]: value });
      expect(status, `${JSON.stringify(value)}: ${text}`).toBe(201);
    }
    for (const value of past) {
      const { status, body, stored } = await submit({ task_type: 'email', [field]: value });
      expect(status, JSON.stringify(value)).toBe(422);
      expect(body.errors[0].path.split('.')[0]).toBe(field);
      expect(stored).toBe(0);
    }
  });

  it.each(['id', 'status', 'colour', 'attempts', '__proto__'])('%s may not be given', async (field) => {
    const { status, body, stored } = await submit(`{"task_type":"email","${field}":1}`);
    expect(status).toBe(422);
    expect(body.errors[0].path).toBe(field);
    expect(stored).toBe(0);
  });

  it('must be an object with a task_type', async () => {
    for (const body of ['[]', '5', 'null', '"x"']) expect((await submit(body)).status).toBe(422);
    expect((await submit({})).body.errors).toEqual([{ path: 'task_type', message: expect.any(String) }]);
  });
});

describe('payloads', () => {
  it('are taken at 256 KiB and refused with 413 one byte above, naming the field', async () => {
    expect((await submit({ task_type: 'email', payload: payloadOf(LIMITS.payloadBytes) })).status).toBe(201);
    const { status, body, stored } = await submit({ task_type: 'email', payload: payloadOf(LIMITS.payloadBytes + 1) });
    expect([status, body.errors[0].path, stored]).toEqual([413, 'payload', 0]);
    const wide = await submit({ task_type: 'email', payload: { t: 'é'.repeat(LIMITS.payloadBytes / 2) } });
    expect(wide.status).toBe(413);
  });

  it('are taken at 64 levels and refused at 65, and at 100 000 without delay', async () => {
    expect((await submit(`{"task_type":"email","payload":${nested(64)}}`)).status).toBe(201);
    for (const depth of [65, 100_000]) {
      const { status, body, stored } = await submit(`{"task_type":"email","payload":${nested(depth)}}`);
      expect([status, body.errors[0].path, stored]).toEqual([422, 'payload', 0]);
    }
    expect((await submit(`{"task_type":"email","payload":{"a":${'['.repeat(63)}${']'.repeat(63)}}}`)).status).toBe(201);
    expect((await submit(`{"task_type":"email","payload":{"a":${'['.repeat(64)}${']'.repeat(64)}}}`)).status).toBe(422);
  });

  it.each([
    ['{"__proto__":{"admin":true}}', 'payload.__proto__'],
    ['{"a":[{"__proto__":1}]}', 'payload.a.0.__proto__'],
    ['{"n":1e400}', 'payload.n'],
    ['{"n":[-1e400]}', 'payload.n.0'],
  ])('%s are refused with 422 that names %s', async (payload, path) => {
    const { status, body, stored } = await submit(`{"task_type":"email","payload":${payload}}`);
    expect([status, body.errors[0].path, stored]).toEqual([422, path, 0]);
    expect((Object.prototype as { admin?: boolean }).admin).toBeUndefined();
  });

  it('go in and out as they are: NUL, lone surrogates, -0, duplicate keys by the last one', async () => {
    const { body } = await submit(
      '\ufeff{"task_type":"email","payload":{"nul":"\\u0000","half":"\\ud800","x":1,"x":2,"n":1.5e3,"toString":"s"}}',
    );
    expect(body.payload).toEqual({ nul: '\0', half: '\ud800', x: 2, n: 1500, toString: 's' });
  });

  it('are held to the same when a task is changed or retried', async () => {
    const { call, queue } = createWorld();
    const waiting = queue.put();
    const failed = queue.put({ status: 'failed' });
    for (const [method, path] of [
      ['PATCH', `/api/tasks/${waiting.id}`],
      ['POST', `/api/tasks/${failed.id}/retry`],
    ] as const) {
      expect((await call(method, path, { payload: payloadOf(LIMITS.payloadBytes + 1) })).status).toBe(413);
      expect((await call(method, path, `{"payload":${nested(65)}}`)).status).toBe(422);
      expect((await call(method, path, '{"payload":{"__proto__":1}}')).body.errors[0].path).toBe('payload.__proto__');
      expect((await call(method, path, { colour: 1 })).body.errors[0].path).toBe('colour');
    }
    expect([queue.tasks.get(waiting.id)?.payload, queue.tasks.get(failed.id)?.status]).toEqual(['{}', 'failed']);
  });
});

describe('bodies', () => {
  it.each([
    ['{"task_type":', 'BAD_JSON'],
    ["{'task_type':'email'}", 'BAD_JSON'],
    ['{"priority":NaN,"task_type":"email"}', 'BAD_JSON'],
    ['', 'BAD_REQUEST'],
  ])('%s is 400', async (text, code) => {
    const { status, body, stored } = await submit(text);
    expect([status, body.code, stored]).toEqual([400, code, 0]);
  });

  it('that are not UTF-8 are 400', async () => {
    const { app, queue } = createWorld();
    const body = Buffer.concat([
      Buffer.from('{"task_type":"email","name":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}'),
    ]);
    const response = await app.request('/api/tasks', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect([response.status, queue.tasks.size]).toEqual([400, 0]);
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=latin1',
    'application/x-ndjson',
    '',
  ])('of the type "%s" are 415', async (type) => {
    const { status, stored } = await submit('{"task_type":"email"}', { 'content-type': type });
    expect([status, stored]).toEqual([415, 0]);
  });

  it('without a type are 415', async () => {
    const response = await createWorld().app.request('/api/tasks', {
      method: 'POST',
      body: Buffer.from('{"task_type":"email"}'),
    });
    expect(response.status).toBe(415);
  });

  it.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"'])(
    'of the type %s are taken',
    async (type) => {
      expect((await submit('{"task_type":"email"}', { 'content-type': type })).status).toBe(201);
    },
  );

  it('that are compressed are 415', async () => {
    expect((await submit('{"task_type":"email"}', { 'content-encoding': 'gzip' })).status).toBe(415);
  });

  it('are taken at 1 MiB and refused with 413 one byte above', async () => {
    const fill = (bytes: number) => {
      const text = '{"task_type":"email"}';
      return text + ' '.repeat(bytes - text.length);
    };
    expect((await submit(fill(LIMITS.bodyBytes))).status).toBe(201);
    const past = await submit(fill(LIMITS.bodyBytes + 1));
    expect([past.status, past.stored]).toEqual([413, 0]);
  });

  it('are read no further than the limit where no length is declared', async () => {
    const { app } = createWorld();
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        sent += 64 * 1024;
        controller.enqueue(new Uint8Array(64 * 1024).fill(0x20));
      },
    });
    const request = new Request('http://localhost/api/tasks', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
      duplex: 'half',
    });
    expect((await app.request(request)).status).toBe(413);
    expect(sent).toBeLessThan(LIMITS.bodyBytes + 4 * 64 * 1024);
  });

  it('of actions may be absent or {}, and hold nothing else', async () => {
    const { call } = createWorld();
    expect((await call('POST', '/api/queues/a/pause')).status).toBe(200);
    expect((await call('POST', '/api/queues/a/pause', {})).status).toBe(200);
    const { status, body } = await call('POST', '/api/queues/a/pause', { now: true });
    expect([status, body.errors[0].path]).toEqual([422, 'now']);
  });
});

describe('what is wrong is told in plain words', () => {
  const told: [fault: object, path: string, message: string][] = [
    [{ priority: 11 }, 'priority', 'must be 1 to 10'],
    [{ priority: 0 }, 'priority', 'must be 1 to 10'],
    [{ priority: 1.5 }, 'priority', 'must be a whole number from 1 to 10'],
    [{ task_type: undefined }, 'task_type', 'is required'],
    [{ max_retries: 101 }, 'max_retries', 'must be at most 100'],
    [{ max_retries: 0.5 }, 'max_retries', 'must be a whole number'],
    [{ timeout: 0.09 }, 'timeout', 'must be at least 0.1'],
    [{ timeout: '1' }, 'timeout', 'must be a number'],
    [{ name: 'n'.repeat(201) }, 'name', 'must have at most 200 characters'],
    [{ idempotency_key: '' }, 'idempotency_key', 'must have at least 1 character'],
    [{ tags: Array.from({ length: 11 }, (_, i) => `t${i}`) }, 'tags', 'must have at most 10 items'],
    [{ tags: 'a' }, 'tags', 'must be a list'],
    [{ payload: [] }, 'payload', 'must be an object'],
    [{ backoff: { type: 'linear' } }, 'backoff.type', 'must be one of exponential, fixed'],
  ];
  it.each(told)('%j: %s %s', async (fault, path, message) => {
    const single = await submit({ task_type: 'x', ...fault });
    expect(single.body.errors).toEqual([{ path, message }]);
    const bulk = await createWorld().call('POST', '/api/tasks/bulk', { tasks: [{ task_type: 'x', ...fault }] });
    expect(bulk.body.errors).toEqual([{ index: 0, message: `${path}: ${message}` }]);
  });
});

describe('a time series', () => {
  it('is of all queues where the queue is left empty', async () => {
    const { status, body } = await createWorld().call('GET', '/api/metrics/timeseries?range=1h&step=10s&queue=');
    expect([status, body.queue]).toEqual([200, null]);
  });
});
