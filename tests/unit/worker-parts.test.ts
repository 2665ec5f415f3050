import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { QueueError } from '#queue/contract/errors';
import { LIMITS } from '#queue/contract/limits';
import type { SubmitOutcome, TaskSpec } from '#queue/engine/ports';
import { toTaskSpec } from '#queue/engine/task-spec';
import { TaskArtifacts } from '#worker/artifacts';
import { CONFIG_VARIABLE, takeConfig, WorkerConfig } from '#worker/config';
import { describeThrown, failureReport, fingerprintOf } from '#worker/error-report';
import { type AnyHandler, defineHandler, z } from '#worker/millrace';
import { ParentLink } from '#worker/parent-link';
import { DuplicateTypeError, Registry, toTaskHandler } from '#worker/registry';
import { safeText, safeTextBytes } from '#worker/safe-text';
import { shareOut } from '#worker/shares';
import { TaskAccessOverPorts } from '#worker/task-access';
import { ManualClock } from '../support/manual-clock';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});
async function temp(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'millrace-test-')));
  folders.push(folder);
  return folder;
}

describe('the configuration', () => {
  it('fills in its defaults', () => {
    const config = WorkerConfig.parse({ redis: null, artifactsDir: '/a' });
    expect(config).toMatchObject({ concurrency: 10, leaseMs: 10_000, shutdownTimeoutMs: 25_000, maxBlockMs: 60_000 });
    expect(config.queues).toEqual([{ name: 'default', weight: 1 }]);
    expect(config.taskDefaults).toEqual({ maxRetries: 3, timeoutMs: 300_000 });
  });

  it.each([
    { concurrency: 0 },
    { concurrency: 1_001 },
    { leaseMs: 1 },
    { unknown: 1 },
    { queues: [] },
    { queues: [{ name: 'a' }, { name: 'a' }] },
    { queues: [{ name: 'a', weight: 0 }] },
    { queues: [{ name: 'a', weight: 101 }] },
  ])('refuses %j', (wrong) => {
    expect(WorkerConfig.safeParse({ redis: null, artifactsDir: '/a', ...wrong }).success).toBe(false);
  });

  it('is taken out of the environment, so that programs started later do not inherit its passwords', () => {
    const environment: Record<string, string | undefined> = {
      [CONFIG_VARIABLE]: '{"redis":{"password":"x"},"artifactsDir":"/a","queues":[{"name":"a","weight":2}]}',
    };
    expect(takeConfig(environment).queues).toEqual([{ name: 'a', weight: 2 }]);
    expect(CONFIG_VARIABLE in environment).toBe(false);
    expect(() => takeConfig({})).toThrow(CONFIG_VARIABLE);
  });
});

describe('shares of free slots', () => {
  it('never exceed what is free, and leave nothing while somebody wants it', () => {
    const contenders = fc.array(fc.record({ weight: fc.integer({ min: 1, max: 100 }), passed: fc.nat() }), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000 }), contenders, (free, all) => {
        const shares = shareOut(free, all);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(free);
        expect(shares.every((share) => share >= 0)).toBe(true);
      }),
    );
  });

  it('go first to the one that has had the least for its weight', () => {
    expect(
      shareOut(1, [
        { weight: 1, passed: 5 },
        { weight: 1, passed: 4 },
      ]),
    ).toEqual([0, 1]);
    expect(
      shareOut(8, [
        { weight: 3, passed: 0 },
        { weight: 1, passed: 0 },
      ]),
    ).toEqual([6, 2]);
  });
});

describe('stored text', () => {
  it('loses terminal escapes, control characters and lone surrogates', () => {
    expect(safeText('a\u001b[31mred\u001b[0m\u0000b\r\nc\ud800d\te', 100)).toBe('ared\ufffdb\nc\ufffdd\te');
    expect(safeText('\u001b]8;;http://x\u0007link', 100)).toBe('link');
  });

  it('keeps to its bound, never cuts a character in two, and says that it was cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.integer({ min: 8, max: 100 }), (text, max) => {
        expect(safeText(text, max).length).toBeLessThanOrEqual(max);
        expect(safeText(text, max)).not.toMatch(/\p{Surrogate}/u);
        expect(Buffer.byteLength(safeTextBytes(text, max))).toBeLessThanOrEqual(max);
      }),
    );
    expect(safeText('😀'.repeat(10), 10).endsWith('…')).toBe(true);
  });
});

describe('error fingerprints', () => {
  const print = (error: unknown) => fingerprintOf(describeThrown(error));
  const make = (message: string) => new RangeError(message);

  it.each([
    ['numbers', 'row 17 of 300 is bad', 'row 4 of 12 is bad'],
    ['ids', 'no user 6f1c2f4e-1111-4222-8333-123456789abc', 'no user 00000000-aaaa-4bbb-8ccc-0123456789ab'],
    ['task ids', 'waits for 01KA9Z6Q0MB0Q3T5V7X9YABCDE', 'waits for 01KB000000B0Q3T5V7X9YABCDE'],
    ['quoted text', 'cannot read "a.csv"', 'cannot read "some other name.csv"'],
    ['paths', "ENOENT: no such file, open '/tmp/a/b.txt'", "ENOENT: no such file, open '/home/x/y.txt'"],
    ['hex', 'hash deadbeef01 differs', 'hash 0123456789ab differs'],
    ['URLs', 'GET https://a.example/x?y=1 failed', 'GET https://b.example/ failed'],
  ])('are equal where only %s differ', (_, one, other) => {
    expect(print(make(one))).toBe(print(make(other)));
    expect(print(make(one))).toMatch(/^[0-9a-f]{8}$/);
  });

  it('differ by class, by words, and by the place in our code', () => {
    const elsewhere = () => new RangeError('too much');
    const prints = [
      print(make('too much')),
      print(new TypeError('too much')),
      print(make('too little')),
      print(elsewhere()),
    ];
    expect(new Set(prints).size).toBe(4);
  });

  it('come with a short stack from the fifth attempt on', () => {
    const error = new Error('deep');
    error.stack = `Error: deep\n${Array.from({ length: 200 }, (_, i) => `    at f${i} (/app/file-${i}.ts:1:1)`).join('\n')}`;
    const sizeAt = (attempt: number) => Buffer.byteLength(failureReport(error, { attempt, progress: 0 }).stack ?? '');
    expect(sizeAt(4)).toBeGreaterThan(4_000);
    expect(sizeAt(5)).toBeLessThanOrEqual(512);
  });

  it('tell the causes, and speak for errors that have no message of their own', () => {
    const error = new Error('outer', { cause: new TypeError('inner') });
    expect(describeThrown(error).stack).toContain('Caused by: TypeError: inner');
    const refused = new AggregateError([
      new Error('connect ECONNREFUSED ::1:25'),
      new Error('connect ECONNREFUSED 127.0.0.1:25'),
    ]);
    expect(describeThrown(refused).message).toContain('ECONNREFUSED 127.0.0.1:25');
  });
});

describe('the registry', () => {
  const of = (handler: AnyHandler, source: string) => toTaskHandler({ handler, source, folder: '/' }, async () => null);

  it('finds handlers by type and alias', () => {
    const registry = new Registry([
      of(defineHandler({ type: 'data_processing', aliases: ['data'], run: () => 1 }), 'a.ts'),
    ]);
    expect(registry.types).toEqual(['data_processing', 'data']);
    expect(registry.get('data')).toBe(registry.get('data_processing'));
    expect(registry.get('other')).toBeUndefined();
    expect(registry.get('constructor')).toBeUndefined();
  });

  it('refuses two handlers for one type, and names both', () => {
    const one = of(defineHandler({ type: 'a', run: () => 1 }), '/h/one.ts');
    const two = of(defineHandler({ type: 'b', aliases: ['a'], run: () => 1 }), '/h/two.js');
    expect(() => new Registry([one, two])).toThrow(DuplicateTypeError);
    expect(() => new Registry([one, two])).toThrow(/"a".*\/h\/one\.ts and \/h\/two\.js/);
  });

  it('announces types with the JSON Schema of what may be submitted', () => {
    const payload = z.object({ path: z.string(), width: z.int().max(10).default(3), when: z.date().optional() });
    const registry = new Registry([
      of(defineHandler({ type: 'thumb', description: 'Makes it small', timeout: 60, payload, run: () => 1 }), 'a'),
    ]);
    expect(registry.announced()).toEqual([
      {
        task_type: 'thumb',
        description: 'Makes it small',
        timeout: 60,
        payload_schema: expect.objectContaining({
          required: ['path'],
          properties: {
            path: { type: 'string' },
            width: expect.objectContaining({ default: 3, maximum: 10 }),
            when: {},
          },
        }),
      },
    ]);
  });
});

describe('artifacts', () => {
  it('are written whole into the folder of the task', async () => {
    const root = await temp();
    const artifacts = new TaskArtifacts(root, 'TASK', new AbortController().signal);
    const text = await artifacts.write('report.csv', 'a,b\n');
    expect(text).toEqual({
      name: 'report.csv',
      path: join(root, 'TASK', 'report.csv'),
      bytes: 4,
      media_type: 'text/csv',
    });
    await artifacts.write('data.bin', new Uint8Array([1, 2, 3]));
    const streamed = await artifacts.write('big.txt', Readable.from(['one', 'two']), 'text/x-odd');
    expect(streamed).toMatchObject({ bytes: 6, media_type: 'text/x-odd' });
    expect((await readdir(artifacts.folder)).sort()).toEqual(['big.txt', 'data.bin', 'report.csv']);
    expect(await readFile(join(artifacts.folder, 'big.txt'), 'utf8')).toBe('onetwo');
  });

  it.each(['', '.', '..', '../x', 'a/b', 'a\\b', '.hidden', 'nul\0', 'x'.repeat(201), 'line\nfeed'])(
    'refuse the name %j',
    async (name) => {
      const artifacts = new TaskArtifacts(await temp(), 'TASK', new AbortController().signal);
      await expect(artifacts.write(name, 'x')).rejects.toMatchObject({ name: 'FatalError' });
    },
  );

  it('leave nothing behind when their source fails or the task is aborted', async () => {
    const controller = new AbortController();
    const artifacts = new TaskArtifacts(await temp(), 'TASK', controller.signal);
    const broken = new Readable({
      read() {
        this.destroy(new Error('source broke'));
      },
    });
    await expect(artifacts.write('a.txt', broken)).rejects.toThrow('source broke');
    const endless = new Readable({
      read() {
        this.push('x');
      },
    });
    const writing = artifacts.write('b.txt', endless);
    setImmediate(() => controller.abort(new Error('cancelled')));
    await expect(writing).rejects.toThrow();
    expect(await readdir(artifacts.folder)).toEqual([]);
  });

  it('replace a link that lies in their place, and do not follow it', async () => {
    const root = await temp();
    await mkdir(join(root, 'TASK'));
    await symlink('/etc/hostname', join(root, 'TASK', 'out.txt'));
    await new TaskArtifacts(root, 'TASK', new AbortController().signal).write('out.txt', 'mine');
    expect(await readFile(join(root, 'TASK', 'out.txt'), 'utf8')).toBe('mine');
    expect(await readFile('/etc/hostname', 'utf8')).not.toBe('mine');
  });
});

describe('the queue, as handlers use it', () => {
  function access(outcomes: SubmitOutcome[] = []) {
    const specs: TaskSpec[] = [];
    const engine = {
      submitMany: async (all: readonly TaskSpec[]) => {
        specs.push(...all);
        return all.map((_, index): SubmitOutcome => outcomes[index] ?? { ok: true, id: `ID${index}`, repeated: false });
      },
      cancel: async () => [],
    };
    const reader = { getTasks: async () => [null], queueStates: async () => [] };
    const tasks = new TaskAccessOverPorts(
      { engine, reader, toSpec: toTaskSpec, defaults: { maxRetries: 7, timeoutMs: 9_000 } },
      'ada',
    );
    return { tasks, specs };
  }

  it('submits with the defaults, and for the owner of the running task', async () => {
    const { tasks, specs } = access();
    expect(await tasks.submit([{ task_type: 'a' }, { task_type: 'b', owner: 'bob', max_retries: 0 }])).toEqual([
      'ID0',
      'ID1',
    ]);
    expect(specs[0]).toMatchObject({
      type: 'a',
      queue: 'default',
      owner: 'ada',
      maxRetries: 7,
      timeoutMs: 9_000,
      payload: '{}',
    });
    expect(specs[1]).toMatchObject({ owner: 'bob', maxRetries: 0 });
  });

  const deep = (levels: number): Record<string, unknown> => (levels === 0 ? {} : { a: deep(levels - 1) });
  it.each<[string, Record<string, unknown>, RegExp]>([
    ['an unknown field', { task_type: 'a', colour: 'red' }, /colour/],
    ['a bad priority', { task_type: 'a', priority: 11 }, /priority/],
    ['a payload that is too deep', { task_type: 'a', payload: deep(65) }, /nested/],
    ['a payload that is too large', { task_type: 'a', payload: { a: 'x'.repeat(LIMITS.payloadBytes) } }, /bytes/],
  ])('refuses %s for good, and submits nothing', async (_, task, message) => {
    const { tasks, specs } = access();
    const submitting = tasks.submit([{ task_type: 'ok' }, task as never]);
    await expect(submitting).rejects.toMatchObject({ name: 'FatalError', message: expect.stringMatching(message) });
    expect(specs).toEqual([]);
  });

  it('lets the attempt be retried where the queue is full, and fail for good on a conflict', async () => {
    const full = new QueueError('QUEUE_FULL', 'full');
    await expect(access([{ ok: false, error: full }]).tasks.submit([{ task_type: 'a' }])).rejects.toBe(full);
    const conflict = new QueueError('DUPLICATE_UNIQUE_KEY', 'taken');
    await expect(access([{ ok: false, error: conflict }]).tasks.submit([{ task_type: 'a' }])).rejects.toMatchObject({
      name: 'FatalError',
    });
  });
});

describe('word to the parent process', () => {
  const task = (id: string) => ({ id, type: 'job' }) as never;

  it('tells what runs at once after a quiet moment, then a few times a second', async () => {
    const clock = new ManualClock();
    const sent: unknown[] = [];
    let running: never[] = [];
    const link = new ParentLink(
      { send: (message) => sent.push(message), onDetach: () => undefined },
      clock,
      () => running,
    );
    link.ready('w-1');
    running = [task('A')];
    link.runningChanged();
    expect(sent).toEqual([
      { type: 'ready', workerId: 'w-1' },
      { type: 'running', tasks: [{ id: 'A', task_type: 'job' }] },
    ]);
    for (let i = 0; i < 50; i++) {
      running = [task(`B${i}`)];
      link.runningChanged();
    }
    expect(sent).toHaveLength(2);
    await clock.advance(100);
    expect(sent.slice(2)).toEqual([{ type: 'running', tasks: [{ id: 'B49', task_type: 'job' }] }]);
  });

  it('says nothing without a parent', () => {
    const link = new ParentLink(null, new ManualClock(), () => {
      throw new Error('not to be asked');
    });
    link.ready('w-1');
    link.runningChanged();
    link.tell();
  });
});
