import { describe, expect, it } from 'vitest';
import { LIMITS } from '#queue/contract/limits';
import { FatalError, RetryLater, Snooze } from '#worker/handler';
import { defineHandler, z } from '#worker/millrace';
import { attemptWorld } from '../support/attempt-world';
import { eventually, settled, workerWorlds } from '../support/worker-world';

const { running, ended } = workerWorlds();

describe('results', () => {
  it.each([
    ['undefined, as null', undefined, null],
    ['null', null, null],
    ['text', 'grüße', 'grüße'],
    ['an object', { a: [1, 2] }, { a: [1, 2] }],
    ['a date, as JSON writes it', new Date(0), '1970-01-01T00:00:00.000Z'],
  ])('may be %s', async (_, value, stored) => {
    expect(await ended({ run: () => value })).toMatchObject({ status: 'completed', result: stored });
  });

  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  it.each([
    ['a BigInt', 10n, /BigInt/],
    ['a BigInt inside', { amount: 10n }, /BigInt/],
    ['cyclic', cyclic, /circular/i],
    ['a function', () => 1, /is a function/],
    ['a symbol', Symbol('x'), /is a symbol/],
    [
      'an object whose toJSON throws',
      {
        toJSON: () => {
          throw new Error('no');
        },
      },
      /no/,
    ],
    [
      'a Proxy that throws',
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('hidden');
          },
        },
      ),
      /hidden/,
    ],
  ])('that are %s fail for good, with the reason', async (_, value, reason) => {
    const task = await ended({ run: () => value });
    expect(task).toMatchObject({
      status: 'failed',
      error: { name: 'ResultError', message: expect.stringMatching(reason) },
    });
  });

  it('are stored up to the limit, and one byte more fails for good', async () => {
    const quotes = 2;
    expect((await ended({ run: () => 'x'.repeat(LIMITS.resultBytes - quotes) })).status).toBe('completed');
    const task = await ended({ run: () => 'x'.repeat(LIMITS.resultBytes - quotes + 1) });
    expect(task).toMatchObject({
      status: 'failed',
      error: { name: 'ResultError', message: expect.stringContaining('too large') },
    });
    const wide = await ended({ run: () => 'ü'.repeat(LIMITS.resultBytes / 2) });
    expect(wide.error?.name).toBe('ResultError');
  });
});

describe('failures', () => {
  it('are retried after the back-off of the task', async () => {
    const task = await ended({ run: () => Promise.reject(new TypeError('boom')) });
    expect(task).toMatchObject({
      status: 'retrying',
      settle: { kind: 'fail', retryInMs: 1_000 },
      error: { name: 'TypeError', message: 'boom' },
    });
    expect(task.error?.stack).toContain('worker-attempts.test.ts');
    expect(task.error?.fingerprint).toMatch(/^[0-9a-f]{8}$/);
  });

  it('are the end in the last attempt', async () => {
    expect((await ended({ run: () => Promise.reject(new Error('boom')) }, { maxAttempts: 1 })).status).toBe('failed');
  });

  it('with FatalError are the end at once, also with one from another copy of the module', async () => {
    expect(await ended({ run: () => Promise.reject(new FatalError('no')) })).toMatchObject({
      status: 'failed',
      error: { name: 'FatalError' },
    });
    const foreign = Object.assign(new Error('no'), { name: 'FatalError' });
    expect((await ended({ run: () => Promise.reject(foreign) })).status).toBe('failed');
  });

  it('with RetryLater choose their delay, but not in the last attempt', async () => {
    expect((await ended({ run: () => Promise.reject(new RetryLater(90)) })).settle).toMatchObject({
      kind: 'fail',
      retryInMs: 90_000,
    });
    expect((await ended({ run: () => Promise.reject(new RetryLater(90)) }, { maxAttempts: 1 })).status).toBe('failed');
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('with RetryLater(%s) fall back to the back-off', async (seconds) => {
    expect((await ended({ run: () => Promise.reject(new RetryLater(seconds)) })).settle).toMatchObject({
      retryInMs: 1_000,
    });
  });

  it('are no failure with Snooze: the attempt is not counted', async () => {
    const task = await ended({ run: () => Promise.reject(new Snooze(30)) });
    expect(task).toMatchObject({ status: 'scheduled', attempts: 0, settle: { kind: 'snooze', delayMs: 30_000 } });
  });

  it('keep how far the attempt had come', async () => {
    const task = await ended({
      run: async ({ progress }) => {
        await progress(40);
        throw new Error('boom');
      },
    });
    expect(task.error?.progress).toBe(40);
  });

  const hostile = Object.defineProperty(new Error('x'), 'message', {
    get: () => {
      throw new Error('gotcha');
    },
  });
  const trap = () => {
    throw new Error('trap');
  };
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a string', 'just text'],
    ['a number', 42],
    ['a symbol', Symbol('s')],
    ['a BigInt', 1n],
    ['a frozen object', Object.freeze({ a: 1 })],
    ['a frozen error', Object.freeze(new Error('cold'))],
    ['an error whose message throws', hostile],
    ['a cyclic object', cyclic],
    [
      'a Proxy whose every trap throws',
      new Proxy({}, { get: trap, has: trap, ownKeys: trap, getPrototypeOf: trap, getOwnPropertyDescriptor: trap }),
    ],
    ['an error without a prototype', Object.create(null)],
    ['a function', trap],
    ['an error of 10 MB', new Error('y'.repeat(10_000_000))],
  ])('may be %s', async (_, thrown) => {
    const task = await ended({ run: () => Promise.reject(thrown) });
    expect(task.status).toBe('retrying');
    expect(task.error?.message.length).toBeLessThanOrEqual(LIMITS.errorMessageLength);
    expect(Buffer.byteLength(task.error?.stack ?? '')).toBeLessThanOrEqual(LIMITS.errorStackLength);
    expect(task.error?.name).not.toBe('');
  });

  it('before the first await count like any other', async () => {
    const run = () => {
      throw new Error('at once');
    };
    expect(await ended({ run })).toMatchObject({ status: 'retrying', error: { message: 'at once' } });
  });
});

describe('payloads', () => {
  const strict = defineHandler({
    type: 'strict',
    payload: z.object({ path: z.string(), width: z.number().int().max(4096).default(10) }),
    run: ({ payload }) => payload.width,
  });

  it('reach the handler as its schema reads them', async () => {
    expect((await ended({ handlers: [strict] }, { type: 'strict', payload: '{"path":"a"}' })).result).toBe(10);
  });

  it('that do not fit fail without a retry, and the error names the field', async () => {
    const task = await ended({ handlers: [strict] }, { type: 'strict', payload: '{"path":1,"width":5000}' });
    expect(task).toMatchObject({ status: 'failed', attempts: 1, error: { name: 'PayloadError' } });
    expect(task.error?.message).toMatch(/payload\.path: .*payload\.width: /s);
  });

  it('that are not JSON fail without a retry', async () => {
    expect(await ended({}, { payload: '{' })).toMatchObject({ status: 'failed', error: { name: 'PayloadError' } });
  });

  it('may be checked by schemas with asynchronous parts', async () => {
    const slow = defineHandler({
      type: 'slow',
      payload: z.object({ a: z.string().refine(async (text) => text === 'yes', 'must be yes') }),
      run: () => 'ok',
    });
    expect((await ended({ handlers: [slow] }, { type: 'slow', payload: '{"a":"yes"}' })).status).toBe('completed');
    const refused = await ended({ handlers: [slow] }, { type: 'slow', payload: '{"a":"no"}' });
    expect(refused).toMatchObject({
      status: 'failed',
      error: { name: 'PayloadError', message: 'payload.a: must be yes' },
    });
  });

  it('whose schema throws fail without a retry', async () => {
    const broken = defineHandler({
      type: 'broken',
      payload: z.object({
        a: z.string().transform(() => {
          throw new Error('schema bug');
        }),
      }),
      run: () => 'ok',
    });
    const task = await ended({ handlers: [broken] }, { type: 'broken', payload: '{"a":"x"}' });
    expect(task).toMatchObject({
      status: 'failed',
      error: { name: 'PayloadError', message: expect.stringContaining('schema bug') },
    });
  });
});

describe('time-outs', () => {
  it('fire the signal, and the attempt fails with TimeoutError and is retried', async () => {
    const { engine, clock } = await running({
      run: ({ signal }) =>
        new Promise((_, fail) => signal.addEventListener('abort', () => fail(signal.reason as Error))),
    });
    const task = engine.add({ timeoutMs: 2_500 });
    await settled();
    await clock.advance(2_400);
    expect(task.settle).toBeNull();
    await clock.advance(200);
    await eventually(() => task.settle !== null);
    expect(task).toMatchObject({
      status: 'retrying',
      error: { name: 'TimeoutError', message: 'took longer than its time-out of 2.5 s' },
    });
  });

  it('of the handler count where they are shorter than the task’s', async () => {
    const { engine, clock } = await running({
      handlers: [{ type: 'quick', timeout: 1, run: () => new Promise(() => undefined) }],
    });
    const task = engine.add({ type: 'quick', timeoutMs: 60_000 });
    await settled();
    await clock.advance(1_000);
    await clock.advance(1_100);
    await eventually(() => task.settle !== null);
    expect(task.error?.name).toBe('TimeoutError');
  });

  it('free the slot of a handler that never returns, after the grace, and its late end is logged and nothing else', async () => {
    let wake: (error: Error) => void = () => undefined;
    const { engine, clock, logs } = await running({
      config: { concurrency: 1 },
      run: ({ task }) =>
        task.attempt === 1 && wake.length === 0
          ? new Promise((_, fail) => {
              wake = fail;
            })
          : 'ok',
    });
    const stuck = engine.add({ timeoutMs: 1_000, maxAttempts: 1 });
    const next = engine.add();
    await settled();
    await clock.advance(1_000);
    await clock.advance(900);
    expect(stuck.settle).toBeNull();
    await clock.advance(200);
    await eventually(() => next.status === 'completed');
    expect(stuck).toMatchObject({ status: 'failed', error: { name: 'TimeoutError' } });
    wake(new Error('far too late'));
    await eventually(() => logs.some(({ message }) => message.includes('after its attempt had ended')));
    expect(logs.find(({ message }) => message.includes('after its attempt'))?.fields).toMatchObject({
      taskId: stuck.id,
    });
  });

  it('of tasks that have ended are not watched any longer', async () => {
    const world = await attemptWorld([{ handler: { type: 'quick', run: () => 1 }, folder: '/' }], {});
    for (let i = 0; i < 20; i++) await (await world.run({ type: 'quick' })).ended;
    expect(world.executor.watched).toBe(0);
    await world.close();
  });

  it('of many tasks at once all fire', async () => {
    const { engine, clock } = await running({ config: { concurrency: 100 }, run: () => new Promise(() => undefined) });
    for (let i = 0; i < 100; i++) engine.add({ timeoutMs: 1_000 + i * 10, maxAttempts: 1 });
    await settled();
    for (let i = 0; i < 40; i++) await clock.advance(100);
    await eventually(() => engine.ofStatus('failed').length === 100);
  });
});

describe('the signal', () => {
  it('makes progress reject with its reason, so that a loop ends by itself', async () => {
    const { engine, clock } = await running({
      run: async ({ progress, signal }) => {
        await new Promise((go) => signal.addEventListener('abort', go));
        await progress(50);
      },
    });
    const task = engine.add({ timeoutMs: 1_000, maxAttempts: 1 });
    await settled();
    await clock.advance(1_000);
    await eventually(() => task.settle !== null);
    expect(task.progress).toBe(0);
  });

  it('that is looked at late has fired already', async () => {
    const seen: boolean[] = [];
    const { engine, clock } = await running({
      run: async (context) => {
        await clock.sleep(1_500);
        seen.push(context.signal.aborted);
      },
    });
    engine.add({ timeoutMs: 1_000 });
    await settled();
    for (let i = 0; i < 4; i++) await clock.advance(500);
    await eventually(() => seen.length === 1);
    expect(seen).toEqual([true]);
  });
});
