import { describe, expect, it } from 'vitest';
import { linesOf } from '#main/server/ndjson';
import { QueueError } from '#queue/contract/errors';
import { LIMITS } from '#queue/contract/limits';
import { createWorld, worker } from '../support/api-world';

const NDJSON = { 'content-type': 'application/x-ndjson' };
const tasks = (count: number) => Array.from({ length: count }, (_, i) => ({ task_type: 'email', name: String(i) }));

describe('a document of tasks', () => {
  it('keeps the order, and rejects single entries with the reason', async () => {
    const { call, queue } = createWorld();
    const { status, body } = await call('POST', '/api/tasks/bulk', {
      tasks: [
        { task_type: 'email', name: 'a' },
        { task_type: 'email', priority: 11 },
        'x',
        { task_type: 'email', colour: 1 },
        { task_type: 'email', name: 'b' },
      ],
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({ accepted: 2, rejected: 3 });
    expect(body.ids.map((id: string | null) => (id === null ? null : queue.tasks.get(id)?.name))).toEqual([
      'a',
      null,
      null,
      null,
      'b',
    ]);
    expect(body.errors.map(({ index }: { index: number }) => index)).toEqual([1, 2, 3]);
    expect(body.errors[0].message).toContain('priority');
    expect(body.errors[2].message).toContain('colour');
  });

  it('rejects hostile and oversized entries and takes their neighbours', async () => {
    const { call } = createWorld();
    const deep = `${'{"a":'.repeat(64)}{}${'}'.repeat(64)}`;
    const entries = [
      `{"task_type":"email","payload":${deep}}`,
      '{"task_type":"email","payload":{"__proto__":1}}',
      '{"task_type":"email","payload":{"n":1e400}}',
      `{"task_type":"email","payload":{"t":"${'x'.repeat(LIMITS.payloadBytes)}"}}`,
      '{"__proto__":1,"task_type":"email"}',
      '{"task_type":"email"}',
    ];
    const { body } = await call('POST', '/api/tasks/bulk', `{"tasks":[${entries.join(',')}]}`);
    expect(body).toMatchObject({ accepted: 1, rejected: 5 });
    for (const { message } of body.errors.slice(0, 4)) expect(message).toContain('payload');
  });

  it('is refused for nesting without end before it is parsed, naming the field', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const { call } = createWorld();
    const { status, body } = await call('POST', '/api/tasks/bulk', `{"a":1,"tasks":${deep}}`);
    expect([status, body.errors]).toEqual([422, [{ path: 'tasks', message: 'is nested deeper than 64 levels' }]]);
    const lines = `{"task_type":"email"}\n{"task_type":"email","payload":${deep}}\n`;
    const answer = await call('POST', '/api/tasks/bulk', lines, { 'content-type': 'application/x-ndjson' });
    expect(answer.body).toMatchObject({
      accepted: 1,
      errors: [{ index: 1, message: 'payload: is nested deeper than 64 levels' }],
    });
    const text = `{"tasks":[{"task_type":"email","name":"${'['.repeat(50)}\\"${'['.repeat(50)}","payload":{"a":"${'[{'.repeat(30_000)}"}}]}`;
    expect((await call('POST', '/api/tasks/bulk', text)).body.accepted).toBe(1);
  });

  it('is refused for more fields than any request has, without naming each', async () => {
    const crowdOf = (length: number) => Object.fromEntries(Array.from({ length }, (_, n) => [`k${n}`, 0]));
    const crowd = crowdOf(LIMITS.bodyFields + 1);
    const { call } = createWorld();
    const named = (await call('POST', '/api/tasks/bulk', crowdOf(LIMITS.bodyFields))).body.errors;
    expect(named.map(({ path }: { path: string }) => path)).toContain('k0'); // each by its name
    const { status, body } = await call('POST', '/api/tasks/bulk', crowd);
    expect([status, body.errors]).toEqual([422, [{ path: '', message: 'has more than 1000 fields' }]]);
    expect((await call('POST', '/api/tasks/bulk', { tasks: [crowd] })).body.errors[0].message).toMatch(/1000 fields/);
  });

  it('takes 10 000 tasks in batches, and refuses one more with nothing stored', async () => {
    const { call, queue } = createWorld();
    expect((await call('POST', '/api/tasks/bulk', { tasks: tasks(LIMITS.bulkTasks) })).body.accepted).toBe(10_000);
    expect(queue.batches).toEqual(Array(LIMITS.bulkTasks / LIMITS.submitPart).fill(LIMITS.submitPart));
    const other = createWorld();
    const { status, body } = await other.call('POST', '/api/tasks/bulk', { tasks: tasks(LIMITS.bulkTasks + 1) });
    expect([status, body.errors[0].path, other.queue.tasks.size]).toEqual([422, 'tasks', 0]);
  });

  it('may be 64 MiB long, and not a byte more', async () => {
    const post = (bytes: number) => {
      const body = Buffer.alloc(bytes, 0x20);
      body.write('{"tasks":[{"task_type":"email"}]}');
      const { app, queue } = createWorld();
      const headers = { 'content-type': 'application/json' };
      return Promise.resolve(app.request('/api/tasks/bulk', { method: 'POST', body, headers })).then(({ status }) => [
        status,
        queue.tasks.size,
      ]);
    };
    expect(await post(LIMITS.bulkBodyBytes)).toEqual([201, 1]);
    expect(await post(LIMITS.bulkBodyBytes + 1)).toEqual([413, 0]);
  });

  it('takes none at all', async () => {
    expect((await createWorld().call('POST', '/api/tasks/bulk', { tasks: [] })).body).toEqual({
      accepted: 0,
      rejected: 0,
      ids: [],
      errors: [],
    });
  });

  it.each([
    ['{}', 422],
    ['[]', 422],
    ['{"tasks":{}}', 422],
    ['{"tasks":[],"x":1}', 422],
    ['{"tasks":', 400],
    ['', 400],
  ])('%s is refused with %d', async (text, expected) => {
    expect((await createWorld().call('POST', '/api/tasks/bulk', text)).status).toBe(expected);
  });

  it('is refused with 415 for another content type', async () => {
    expect(
      (await createWorld().call('POST', '/api/tasks/bulk', '{"tasks":[]}', { 'content-type': 'text/plain' })).status,
    ).toBe(415);
  });

  it('warns of kinds that no worker serves, once each', async () => {
    const { call, workers } = createWorld();
    workers.push(worker());
    const { body } = await call('POST', '/api/tasks/bulk', {
      tasks: [{ task_type: 'email' }, { task_type: 'image' }, { task_type: 'image' }],
    });
    expect(body.warnings).toEqual([expect.stringContaining('"image"')]);
  });

  it('counts a repeat by idempotency key as accepted, with the id of the first', async () => {
    const { call, queue } = createWorld();
    const entry = { task_type: 'email', idempotency_key: 'k' };
    const { body } = await call('POST', '/api/tasks/bulk', { tasks: [entry, entry] });
    expect(body.accepted).toBe(2);
    expect(body.ids[0]).toBe(body.ids[1]);
    expect(queue.tasks.size).toBe(1);
  });

  it('answers 503 where nothing could be stored', async () => {
    const { call } = createWorld({
      engine: { submitMany: () => Promise.reject(new QueueError('REDIS_UNREACHABLE', 'gone')) },
    });
    expect((await call('POST', '/api/tasks/bulk', { tasks: tasks(2) })).status).toBe(503);
  });

  it('answers 500 for what ought not to happen, also after tasks were stored, and sends no more', async () => {
    let calls = 0;
    const world = createWorld({
      engine: {
        submitMany: (specs) => (++calls > 1 ? Promise.reject(new TypeError('a bug')) : world.queue.submitMany(specs)),
      },
    });
    expect((await world.call('POST', '/api/tasks/bulk', { tasks: tasks(3000) })).status).toBe(500);
    expect(calls).toBe(2);
  });

  it('tells what was stored before Redis went away, and what is not confirmed', async () => {
    let calls = 0;
    const world = createWorld({
      engine: {
        submitMany: (specs) =>
          ++calls > 1 ? Promise.reject(new QueueError('REDIS_UNREACHABLE', 'gone')) : world.queue.submitMany(specs),
      },
    });
    const { status, body } = await world.call('POST', '/api/tasks/bulk', { tasks: tasks(3000) });
    expect([status, body.accepted, body.rejected]).toEqual([201, 250, 2750]);
    expect(body.errors[0]).toEqual({ index: 250, message: 'not confirmed: gone' });
    expect(calls).toBe(2);
  });
});

describe('lines of tasks', () => {
  it('are stored in order, whatever the ends of the lines', async () => {
    const { call, queue } = createWorld();
    const { body } = await call(
      'POST',
      '/api/tasks/bulk',
      '{"task_type":"email","name":"a"}\r\n\n{"task_type":"email","name":"b"}\nnot json\n{"task_type":"email","name":"ü"}',
      NDJSON,
    );
    expect(body).toMatchObject({ accepted: 3, rejected: 1, errors: [{ index: 2, message: 'the line is not JSON' }] });
    expect(body.ids.map((id: string | null) => (id === null ? null : queue.tasks.get(id)?.name))).toEqual([
      'a',
      'b',
      null,
      'ü',
    ]);
  });

  it('are stored while they arrive', async () => {
    const { app, queue } = createWorld();
    let seenBeforeEnd = 0;
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        seenBeforeEnd = queue.tasks.size;
        if (sent++ === 30) return controller.close();
        controller.enqueue(Buffer.from('{"task_type":"email"}\n'.repeat(100)));
      },
    });
    const request = new Request('http://localhost/api/tasks/bulk', {
      method: 'POST',
      body,
      headers: NDJSON,
      duplex: 'half',
    });
    const response = await app.request(request);
    expect(await response.json()).toMatchObject({ accepted: 3000 });
    expect(seenBeforeEnd).toBeGreaterThanOrEqual(1000);
    expect(Math.max(...queue.batches)).toBe(LIMITS.submitPart);
  });

  it('that are too long or not UTF-8 are rejected by themselves', async () => {
    const { app } = createWorld();
    const good = Buffer.from('{"task_type":"email"}\n');
    const body = Buffer.concat([
      good,
      Buffer.alloc(LIMITS.bodyBytes + 1, 0x20),
      Buffer.from('\n'),
      Buffer.from([0xff, 0x0a]),
      good,
    ]);
    const response = await app.request('/api/tasks/bulk', { method: 'POST', body, headers: NDJSON });
    expect(await response.json()).toMatchObject({
      accepted: 2,
      errors: [
        { index: 1, message: expect.stringContaining('1048576') },
        { index: 2, message: expect.stringContaining('UTF-8') },
      ],
    });
  });

  it('must be at least one', async () => {
    for (const body of ['', '\n\n'])
      expect((await createWorld().call('POST', '/api/tasks/bulk', body, NDJSON)).status).toBe(400);
  });

  it('are taken up to 100 000; what came before the bound stays and is told', { timeout: 60_000 }, async () => {
    const { call, queue } = createWorld();
    const line = '{"task_type":"email"}\n';
    const { status, body } = await call('POST', '/api/tasks/bulk', line.repeat(LIMITS.ndjsonTasks + 1), NDJSON);
    expect([status, body.accepted, queue.tasks.size]).toEqual([413, LIMITS.ndjsonTasks, LIMITS.ndjsonTasks]);
  });
});

describe('splitting into lines', () => {
  const split = async (parts: string[], max = 10) => {
    const stream = (async function* () {
      for (const part of parts) yield Buffer.from(part);
    })();
    const lines: (string | null)[] = [];
    for await (const line of linesOf(stream, max)) lines.push(line === null ? null : Buffer.from(line).toString());
    return lines;
  };

  it('does not care where the parts end', async () => {
    const text = 'one\ntwo\r\n\nthree';
    for (let size = 1; size <= text.length; size++) {
      expect(await split(text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [])).toEqual(['one', 'two', 'three']);
    }
  });

  it('takes a line at the bound, and passes over one above it, however long', async () => {
    expect(await split(['1234567890\n12345678901\nok'])).toEqual(['1234567890', null, 'ok']);
    expect(await split([...Array(100).fill('xxxxxxxxxx'), '\nok\n'])).toEqual([null, 'ok']);
  });
});
