import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CancelledError, ShutdownError } from '#worker/abort-reasons';
import { FatalError, Snooze } from '#worker/handler';
import type { BatchResult } from '#worker/handlers/batch/outcome';
import { BatchPayload, createBatchProcessingHandler } from '#worker/handlers/batch-processing';
import { createBuiltInConfig, createContext, createTempFolder, TEST_TASK_ID } from '../../support/handler-context';
import { ManualClock } from '../../support/manual-clock';
import { MemoryTasks } from '../../support/memory-tasks';

async function setup(payload: Record<string, unknown>) {
  const folder = await createTempFolder();
  const clock = new ManualClock();
  const queue = new MemoryTasks(clock);
  const handler = createBatchProcessingHandler(createBuiltInConfig(folder.path), clock);
  const parsed = BatchPayload.parse(payload);
  const options = { tasks: queue, folder: join(folder.path, 'artifacts'), task: { queue: 'bulk', priority: 7 } };
  return {
    folder: options.folder,
    clock,
    queue,
    /** One execution. `meanwhile` is called at each step of time, 50 ms each, from its first look until it ends. */
    async execute(meanwhile: (step: number) => void = () => undefined) {
      const world = createContext<BatchPayload>(parsed, options);
      let ended = false;
      const end = Promise.resolve(handler.run(world.context)).then(
        (result) => ({ result: result as BatchResult, error: null }),
        (error: unknown) => ({ result: null, error }),
      );
      void end.then(() => {
        ended = true;
      });
      for (let step = 0; !ended; ) {
        await new Promise((resolve) => setImmediate(resolve)); // files are written meanwhile, in real time
        if (queue.looks === 0) continue;
        meanwhile(step++);
        await clock.advance(50);
      }
      return { ...(await end), ...world };
    },
    start: () => {
      const world = createContext<BatchPayload>(parsed, options);
      return { ...world, running: Promise.resolve(handler.run(world.context)) };
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

const items = (count: number) => Array.from({ length: count }, (_, index) => ({ n: index }));
const completeAll =
  (queue: MemoryTasks, result: unknown = { ok: true }) =>
  () => {
    for (const task of queue.list) if (task.status === 'pending') queue.complete(task, result);
  };

function completeNext(queue: MemoryTasks): void {
  const next = queue.list.find(({ status }) => status === 'pending');
  if (next !== undefined) queue.complete(next);
}

describe('the tasks', () => {
  it('are one for each item, tagged, with keys that make none twice', async () => {
    await using world = await setup({
      items: [{ to: 'a@b.example' }, { to: 'c@d.example', subject: 'own' }],
      task_type: 'email',
      payload: { subject: 'common' },
    });
    const { result } = await world.execute(completeAll(world.queue));
    expect(world.queue.list.map(({ spec }) => spec)).toEqual([
      expect.objectContaining({
        task_type: 'email',
        queue: 'bulk',
        priority: 7,
        payload: { subject: 'common', to: 'a@b.example' },
        tags: [`batch:${TEST_TASK_ID}`],
        idempotency_key: `batch:${TEST_TASK_ID}:0`,
      }),
      expect.objectContaining({
        payload: { subject: 'own', to: 'c@d.example' },
        idempotency_key: `batch:${TEST_TASK_ID}:1`,
      }),
    ]);
    expect(result).toEqual({
      total: 2,
      completed: 2,
      failed: 0,
      cancelled: 0,
      results: world.queue.list.map(({ id }, index) => ({ index, id, status: 'completed', result: { ok: true } })),
    });
  });

  it('take queue, priority, retries and time-out from the batch', async () => {
    await using world = await setup({
      items: [1],
      task_type: 't',
      queue: 'other',
      priority: 2,
      max_retries: 0,
      timeout: 9,
      item_field: 'number',
    });
    await world.execute(completeAll(world.queue));
    expect(world.queue.list[0]?.spec).toMatchObject({
      queue: 'other',
      priority: 2,
      max_retries: 0,
      timeout: 9,
      payload: { number: 1 },
    });
  });

  it('are made from a template, which keeps the types of what it fills in', async () => {
    await using world = await setup({
      items: [{ user: { mail: 'a@b.example', age: 7 } }],
      task_type: 'email',
      payload_template: {
        to: '{{item.user.mail}}',
        age: '{{ item.user.age }}',
        all: ['{{item}}'],
        text: 'No {{index}}: {{item.user.age}} {{item.gone}}',
        none: '{{item.gone}}',
      },
    });
    await world.execute(completeAll(world.queue));
    expect(world.queue.list[0]?.spec.payload).toEqual({
      to: 'a@b.example',
      age: 7,
      all: [{ user: { mail: 'a@b.example', age: 7 } }],
      text: 'No 0: 7 null',
      none: null,
    });
  });

  it('may be of several types', async () => {
    await using world = await setup({
      items: [
        { task_type: 'email', payload: { to: 'a@b.example' } },
        { task_type: 'image', priority: 10 },
      ],
    });
    await world.execute(completeAll(world.queue));
    expect(
      world.queue.list.map(({ spec: { task_type, priority, payload } }) => ({ task_type, priority, payload })),
    ).toEqual([
      { task_type: 'email', priority: 7, payload: { to: 'a@b.example' } },
      { task_type: 'image', priority: 10, payload: {} },
    ]);
  });

  it.each([
    ['no items', { task_type: 'x' }],
    ['items without any type', { items: [1, 2] }],
    ['too many items', { items: Array(10_001).fill(1), task_type: 'x' }],
    ['a type that is none', { items: [], task_type: 'Not A Type' }],
    ['an unknown field', { items: [], task_type: 'x', colour: 'red' }],
  ])('do not come from a payload with %s', (_what, payload) => {
    expect(BatchPayload.safeParse(payload).success).toBe(false);
  });

  it('may be none at all', async () => {
    await using world = await setup({ items: [], task_type: 'x' });
    const { context } = createContext<BatchPayload>(BatchPayload.parse({ items: [], task_type: 'x' }), {
      tasks: world.queue,
      folder: world.folder,
    });
    const handler = createBatchProcessingHandler(createBuiltInConfig(world.folder), world.clock);
    expect(await handler.run(context)).toEqual({ total: 0, completed: 0, failed: 0, cancelled: 0, results: [] });
  });

  it('has a payload that can be shown as a form', () => {
    expect(z.toJSONSchema(BatchPayload, { io: 'input' }).required).toEqual(['items']);
  });
});

describe('waiting', () => {
  it('tells the share that is done', async () => {
    await using world = await setup({ items: items(4), task_type: 'x' });
    const { progress } = await world.execute((step) => {
      if (step > 0 && step % 4 === 0) completeNext(world.queue);
    });
    expect([...new Set(progress.map(({ percent }) => percent))]).toEqual([0, 25, 50, 75, 100]);
    expect(progress).toContainEqual({ percent: 50, message: '2 of 4 done' });
  });

  it('gives its slot up at once when nothing moves, so that a concurrency of 1 is enough', async () => {
    await using world = await setup({ items: items(2), task_type: 'x' });
    const startedMs = world.clock.now();
    const { error } = await world.execute();
    expect(error).toBeInstanceOf(Snooze);
    expect(error).toMatchObject({ seconds: 0.5 });
    expect(world.clock.now() - startedMs).toBeLessThan(700);
  });

  it('holds its slot for at most about 2 s while they do move', async () => {
    await using world = await setup({ items: items(200), task_type: 'x' });
    const startedMs = world.clock.now();
    const { error } = await world.execute(() => completeNext(world.queue));
    expect(error).toBeInstanceOf(Snooze);
    expect(world.clock.now() - startedMs).toBeGreaterThan(1500);
    expect(world.clock.now() - startedMs).toBeLessThan(2300);
  });

  it('only glances when it wakes, sleeps longer and longer, and submits nothing again', async () => {
    await using world = await setup({ items: items(2), task_type: 'x' });
    const sleeps: number[] = [];
    for (let round = 0; round < 45; round++) {
      const { error } = await world.execute();
      if (!(error instanceof Snooze)) throw error;
      sleeps.push(error.seconds);
      await world.clock.advance(error.seconds * 1000);
    }
    expect(sleeps[0]).toBe(0.5);
    expect(sleeps.at(-1)).toBe(5);
    expect(sleeps).toEqual([...sleeps].sort((a, b) => a - b));
    expect(world.queue.submits).toBe(1);
    const looks = world.queue.looks;
    const { result } = await world.execute(completeAll(world.queue));
    expect(world.queue.looks - looks).toBeLessThanOrEqual(2);
    expect(result).toMatchObject({ total: 2, completed: 2 });
  });

  it('goes on with the same tasks on a machine that does not have its file', async () => {
    await using world = await setup({ items: items(3), task_type: 'x' });
    await world.execute();
    await rm(world.folder, { recursive: true });
    completeAll(world.queue)();
    const { result } = await world.execute();
    expect(result).toMatchObject({ total: 3, completed: 3 });
    expect(world.queue.tasks.size).toBe(3);
    expect(world.queue.submits).toBe(2);
  });
});

describe('failures', () => {
  const failSome = (queue: MemoryTasks, which: number[]) => () => {
    for (const [index, task] of queue.list.entries()) {
      if (task.status !== 'pending') continue;
      if (which.includes(index)) queue.fail(task, `item ${index} is bad`);
      else queue.complete(task);
    }
  };

  it('fail the batch for good, by default from the first, after all have ended, naming them', async () => {
    await using world = await setup({ items: items(8), task_type: 'x' });
    const { error, progress } = await world.execute(failSome(world.queue, [1, 2, 3, 4, 5, 6]));
    expect(error).toBeInstanceOf(FatalError);
    const { message } = error as Error;
    expect(message).toContain('6 of 8 tasks failed, 0 may');
    expect(message).toContain(`item 1 (${world.queue.list[1]?.id}): Error: item 1 is bad`);
    expect(message).toContain('and 1 more');
    expect(progress.at(-1)).toEqual({ percent: 100, message: '8 of 8 done, 6 failed' });
    const lines = (await readFile(join(world.folder, 'results.ndjson'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).status)).toEqual([
      'completed',
      ...Array(6).fill('failed'),
      'completed',
    ]);
  });

  it('do not while there are no more than allowed', async () => {
    await using world = await setup({ items: items(3), task_type: 'x', max_failures: 1 });
    const { result } = await world.execute(failSome(world.queue, [2]));
    expect(result).toMatchObject({
      total: 3,
      completed: 2,
      failed: 1,
      cancelled: 0,
      artifact: { name: 'results.ndjson' },
    });
    expect(result?.results[2]).toMatchObject({ status: 'failed', error: { name: 'Error', message: 'item 2 is bad' } });
  });

  it('one more than allowed is too many', async () => {
    await using world = await setup({ items: items(3), task_type: 'x', max_failures: 1 });
    expect((await world.execute(failSome(world.queue, [0, 2]))).error).toBeInstanceOf(FatalError);
  });

  it('include tasks that are gone; cancelled ones are counted apart', async () => {
    await using world = await setup({ items: items(3), task_type: 'x', max_failures: 1 });
    const { result } = await world.execute((step) => {
      if (step < 5) return;
      const [first, second, third] = [...world.queue.list];
      if (third === undefined) return;
      world.queue.tasks.delete(first?.id ?? '');
      void world.queue.cancel([second?.id ?? ''], 'by hand');
      world.queue.complete(third);
    });
    expect(result).toMatchObject({ total: 3, completed: 1, failed: 1, cancelled: 1 });
    expect(result?.results.map(({ status }) => status)).toEqual(['gone', 'cancelled', 'completed']);
  });

  it('are final where a task cannot be submitted', async () => {
    await using world = await setup({ items: ['x'], task_type: 'x', payload_template: { a: '{{item}}' } });
    world.queue.submit = () => Promise.reject(new FatalError('task 0 cannot be submitted: payload is too large'));
    await expect(world.start().running).rejects.toThrow('payload is too large');
  });
});

it('keeps its result in bounds, and has the rest in a file', async () => {
  await using world = await setup({ items: items(30), task_type: 'x' });
  const { result } = await world.execute(completeAll(world.queue, 'x'.repeat(20_000)));
  expect(JSON.stringify(result).length).toBeLessThan(256 * 1024);
  expect(result?.results.length).toBeGreaterThan(5);
  expect(result?.results_omitted).toBe(30 - (result?.results.length ?? 0));
  const lines = (await readFile(join(world.folder, 'results.ndjson'), 'utf8')).trim().split('\n');
  expect(lines).toHaveLength(30);
  expect(JSON.parse(lines[29] ?? '')).toEqual({
    index: 29,
    id: world.queue.list[29]?.id,
    status: 'completed',
    result: 'x'.repeat(20_000),
  });
});

describe('stopping', () => {
  const untilWatching = async (queue: MemoryTasks) => {
    while (queue.looks === 0) await new Promise((resolve) => setImmediate(resolve));
  };

  it('cancels the tasks that have not ended when the batch is cancelled', async () => {
    await using world = await setup({ items: items(3), task_type: 'x' });
    const { running, abort } = world.start();
    await untilWatching(world.queue);
    world.queue.complete(world.queue.list[0]);
    const reason = new CancelledError();
    abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(world.queue.list.map(({ status }) => status)).toEqual(['completed', 'cancelled', 'cancelled']);
    expect(world.queue.list[1]?.cancelReason).toBe(`its batch ${TEST_TASK_ID} was cancelled`);
  });

  it('leaves them alone when only the worker stops', async () => {
    await using world = await setup({ items: items(3), task_type: 'x' });
    const { running, abort } = world.start();
    await untilWatching(world.queue);
    const reason = new ShutdownError();
    abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(world.queue.list.map(({ status }) => status)).toEqual(['pending', 'pending', 'pending']);
  });
});
