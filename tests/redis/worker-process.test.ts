import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ConnectedEngine } from '#queue/engine/connect';
import type { TaskSpec } from '#queue/engine/ports';
import { CONFIG_VARIABLE, type WorkerConfigInput } from '#worker/config';
import { type BuiltWorker, buildWorker } from '../support/built-worker';
import { connectTo, redisAt, submitOne } from '../support/engine';
import { isAlive, waitFor } from '../support/millrace-process';
import { freePort, type RedisServer, startRedis } from '../support/redis-server';

let built: BuiltWorker;
let server: RedisServer;
let connected: ConnectedEngine;
let home: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  [built, server] = await Promise.all([buildWorker(), startRedis()]);
  connected = connectTo(server);
  await connected.whenReady(5_000);
  await connected.upkeep.start(); // as the server has it: a worker that is blocked does not reap itself
}, 60_000);
afterAll(async () => {
  await connected?.close();
  await server?.stop();
  await built?.remove();
});
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'millrace-worker-'));
  await connected.store.command('flush', (redis) => redis.flushall());
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
  await rm(home, { recursive: true, force: true });
});

const HANDLERS = `
import { writeFileSync } from 'node:fs';
import { defineHandler, z } from 'millrace';
const task = (type, run) => defineHandler({ type, run });
const forever = (signal) => new Promise((_, fail) => signal.addEventListener('abort', () => fail(signal.reason)));
export default [
  task('echo', ({ payload }) => payload),
  task('wait', ({ signal, log }) => { log.info('begun'); return forever(signal); }),
  task('second', ({ signal, task, log }) => { log.info('begun'); return task.attempt === 1 ? forever(signal) : 'by attempt ' + task.attempt; }),
  task('slow', async ({ task, log }) => { log.info('begun'); await new Promise((go) => setTimeout(go, 1500)); return 'by attempt ' + task.attempt; }),
  task('deaf', ({ log }) => { log.info('begun'); return new Promise(() => {}); }),
  task('block', ({ payload }) => { const end = Date.now() + payload.ms; while (Date.now() < end); return 'unblocked'; }),
  task('stray', () => { setTimeout(() => { throw new Error('stray'); }, 10); return new Promise(() => {}); }),
  task('exit', () => process.exit(0)),
  task('poison', () => process.kill(process.pid, 'SIGKILL')),
  task('homeless', () => { queueMicrotask(() => { throw new Error('homeless'); }); return new Promise(() => {}); }),
  task('environment', () => Object.keys(process.env).filter((name) => name.startsWith('MILLRACE_'))),
  defineHandler({ type: 'child', exec: ['/bin/sh', '-c', 'sleep 100 & echo $! > child.pid; wait'] }),
];
`;

interface Running {
  child: ChildProcess;
  messages: unknown[];
  ended: Promise<{ code: number | null; signal: string | null }>;
  errors: () => string;
}

async function start(
  config: Partial<WorkerConfigInput> = {},
  { ready = true, handlers = HANDLERS } = {},
): Promise<Running> {
  await writeFile(join(home, 'handlers.ts'), handlers);
  const full: WorkerConfigInput = {
    redis: redisAt(server),
    artifactsDir: join(home, 'artifacts'),
    handlers: [join(home, 'handlers.ts')],
    leaseMs: 1_000,
    shutdownTimeoutMs: 300,
    log: { level: 'info', format: 'json' },
    ...config,
  };
  const child = fork(built.program, [], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: [],
    env: { PATH: process.env.PATH, [CONFIG_VARIABLE]: JSON.stringify(full) },
  });
  children.push(child);
  const messages: unknown[] = [];
  let errors = '';
  child.on('message', (message) => messages.push(message));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = once(child, 'exit').then(([code, signal]: unknown[]) => ({
    code: code as number | null,
    signal: signal as string | null,
  }));
  if (ready) {
    await waitFor('the worker to be ready', () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${errors}`);
      return messages.length > 0 ? true : null;
    });
  }
  return { child, messages, ended, errors: () => errors };
}

const submit = (spec: Partial<TaskSpec>) =>
  submitOne(connected, { backoff: { type: 'fixed', baseMs: 50, maxMs: 50, jitter: 0 }, ...spec });
const until = (id: string, status: string, ms = 15_000) =>
  waitFor(
    `task ${id} to be ${status}`,
    async () => {
      const [found] = await connected.reader.getTasks([id], { full: true });
      return found?.status === status ? found : null;
    },
    ms,
  );

/** A task is `processing` a moment before its worker has it: until its handler has said something. */
const begun = (id: string) =>
  waitFor('the handler to begin', async () => ((await connected.reader.logs(id))?.length ? true : null));

describe('a worker process', () => {
  it('tells its parent that it serves, and what it runs', async () => {
    const { messages, child, ended } = await start({ workerId: 'w-one' });
    expect(messages).toEqual([{ type: 'ready', workerId: 'w-one' }]);
    const id = await submit({ type: 'wait' });
    await waitFor('word of the task', () => (messages.length > 1 ? true : null));
    expect(messages[1]).toEqual({ type: 'running', tasks: [{ id, task_type: 'wait' }] });
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(messages.at(-1)).toEqual({ type: 'running', tasks: [] });
  });

  it('runs the built-in types and those of the folder, and does not leave its configuration in the environment', async () => {
    await start();
    const [echo, built_in, environment] = [
      await submit({ type: 'echo', payload: '{"a":1}' }),
      await submit({ type: 'text_processing', payload: '{"text":"To be or not to be."}' }),
      await submit({ type: 'environment' }),
    ];
    expect((await until(echo, 'completed')).result).toBe('{"a":1}');
    expect((await until(built_in, 'completed')).result).toContain('"words"');
    expect((await until(environment, 'completed')).result).toBe('[]');
  });

  it('stops on SIGTERM: tasks that do not finish go back, at no cost', async () => {
    const { child, ended } = await start();
    const [polite, deaf] = [await submit({ type: 'wait' }), await submit({ type: 'deaf' })];
    await Promise.all([begun(polite), begun(deaf)]);
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(await until(polite, 'pending')).toMatchObject({ attempts: 0 });
    expect(await until(deaf, 'pending')).toMatchObject({ attempts: 0 });
    expect(await connected.directory.list()).toEqual([]);
  });

  it('stops at once on a second signal', async () => {
    const { child, ended } = await start({ shutdownTimeoutMs: 60_000 });
    const id = await submit({ type: 'deaf' });
    await begun(id);
    child.kill('SIGINT');
    await waitFor('the stop', async () => ((await connected.directory.list())[0]?.state === 'stopping' ? true : null));
    const before = performance.now();
    const again = setInterval(() => child.kill('SIGINT'), 100); // the first of them may pass for an echo
    expect(await ended).toEqual({ code: 130, signal: null });
    clearInterval(again);
    expect(performance.now() - before).toBeLessThan(3_000);
    expect(await until(id, 'pending')).toMatchObject({ attempts: 0 });
  });

  it.each(['SIGUSR1', 'SIGTSTP'] as const)('is quiet after %s', async (signal) => {
    const { child } = await start();
    child.kill(signal);
    await waitFor('quiet', async () => ((await connected.directory.list())[0]?.state === 'quiet' ? true : null));
    expect(child.exitCode).toBeNull();
  });

  it('stops when its parent is gone, and takes the programs that it runs along', async () => {
    const { child, ended } = await start();
    const id = await submit({ type: 'child' });
    const pid = await waitFor('the program', async () => {
      return Number.parseInt(await readFile(join(home, 'child.pid'), 'utf8'), 10) || null;
    });
    child.disconnect();
    expect((await ended).code).toBe(0);
    await waitFor('the end of the program', () => (isAlive(pid) ? null : true));
    expect((await until(id, 'pending')).attempts).toBe(0);
  });

  it('stops when the directory says so', async () => {
    const { ended } = await start({ workerId: 'w-two' });
    expect(await connected.directory.command('w-two', 'stop')).toBe(true);
    expect((await ended).code).toBe(0);
  });
});

describe('a worker process that dies or freezes', () => {
  it('by kill -9 while it is idle: a task that comes then runs elsewhere, and no attempt is counted', async () => {
    const first = await start();
    await until(await submit({ type: 'echo' }), 'completed');
    await waitFor('it to stand by', () =>
      connected.store
        .command('who stands by', (redis) => redis.zcard(connected.store.keys.of('default', 'standby')))
        .then((n) => n || null),
    );
    first.child.kill('SIGKILL');
    await first.ended;
    const id = await submit({ type: 'echo', maxRetries: 0 });
    expect((await connected.reader.getTasks([id]))[0]?.status).toBe('processing');
    await start();
    expect(await until(id, 'completed')).toMatchObject({ attempts: 1 });
  });

  it('by kill -9: its task runs elsewhere after the lease, and the attempt is counted', async () => {
    const first = await start();
    const id = await submit({ type: 'second' });
    await begun(id);
    first.child.kill('SIGKILL');
    expect(await first.ended).toEqual({ code: null, signal: 'SIGKILL' });
    await start();
    expect(await until(id, 'completed')).toMatchObject({ attempts: 2, result: '"by attempt 2"' });
    const events = (await connected.reader.history(id))?.map(({ event }) => event);
    expect(events).toEqual(['created', 'started', 'lease_lost', 'started', 'completed']);
  });

  it('by SIGSTOP: what it still does when it wakes changes nothing', async () => {
    const zombie = await start();
    const id = await submit({ type: 'slow' });
    await begun(id);
    zombie.child.kill('SIGSTOP');
    await start();
    expect(await until(id, 'completed')).toMatchObject({ attempts: 2, result: '"by attempt 2"' });
    zombie.child.kill('SIGCONT');
    await waitFor('the zombie to notice', () => (/lease .*lost/.test(zombie.errors()) ? true : null));
    const after = await submit({ type: 'echo' });
    await until(after, 'completed');
    expect((await connected.reader.getTasks([id], { full: true }))[0]).toMatchObject({
      attempts: 2,
      result: '"by attempt 2"',
    });
    expect(zombie.child.exitCode).toBeNull();
  });
});

describe('a handler that computes without a pause', () => {
  it('keeps its lease for many lease times, and its worker is shown as blocked', async () => {
    const { errors } = await start({ leaseMs: 1_000 });

    const id = await submit({ type: 'block', payload: '{"ms":8000}' });
    await waitFor(
      'the block to be seen',
      async () => ((await connected.directory.list()).some(({ blocked }) => blocked) ? true : null),
      9_000,
    );
    expect(await until(id, 'completed')).toMatchObject({ attempts: 1, result: '"unblocked"' });
    expect((await connected.reader.history(id))?.map(({ event }) => event)).toEqual([
      'created',
      'started',
      'completed',
    ]);
    expect(errors()).not.toContain('lease on a running task was lost');
  });

  it('loses its lease after the declared time, and its late end changes nothing', async () => {
    const { errors } = await start({ leaseMs: 500, maxBlockMs: 1_000 });
    const id = await submit({ type: 'block', payload: '{"ms":5000}', maxRetries: 0 });
    const dead = await until(id, 'failed');
    expect(dead.error?.name).toBe('LeaseLostError');
    await waitFor('the end of the handler', () =>
      errors().includes('lease') && errors().includes('lost') ? true : null,
    );
    expect((await connected.reader.getTasks([id]))[0]).toMatchObject({ status: 'failed', attempts: 1 });
  });
});

describe('a handler that harms its process', () => {
  it('by an exception in a timer only fails its own attempt', async () => {
    const { child } = await start();
    const [stray, other] = [await submit({ type: 'stray', maxRetries: 0 }), await submit({ type: 'wait' })];
    expect((await until(stray, 'failed')).error).toMatchObject({ name: 'Error', message: 'stray' });
    expect(child.exitCode).toBeNull();
    expect(await until(other, 'processing')).toMatchObject({ attempts: 1 });
  });

  it('by an exception that cannot be traced ends it, and the tasks go back', async () => {
    const { ended, errors } = await start();
    const other = await submit({ type: 'wait' });
    await begun(other);
    await submit({ type: 'homeless' });
    expect((await ended).code).toBe(1);
    expect(errors()).toContain('an exception was not caught');
    expect(await until(other, 'pending')).toMatchObject({ attempts: 0 });
  });

  it.each([
    ['process.exit', 'exit', { code: 0, signal: null }],
    ['a SIGKILL', 'poison', { code: null, signal: 'SIGKILL' }],
  ])('by %s: the parent knows which task it was', async (_, type, exit) => {
    const { ended, messages } = await start();
    const id = await submit({ type });
    expect(await ended).toEqual(exit);
    expect(messages.at(-1)).toEqual({ type: 'running', tasks: [{ id, task_type: type }] });
  });
});

describe('a worker process that cannot start', () => {
  it('ends with 2 where handlers cannot be used, and names them all', async () => {
    const { ended, errors } = await start({}, { ready: false, handlers: 'export const nothing = 1;' });
    expect((await ended).code).toBe(2);
    expect(errors()).toContain('handlers.ts: has no default export');
  });

  it('ends with 2 where two handlers serve one type', async () => {
    const twice = `import { defineHandler } from 'millrace'; export default defineHandler({ type: 'email', run: () => 1 });`;
    const { ended, errors } = await start({}, { ready: false, handlers: twice });
    expect((await ended).code).toBe(2);
    expect(errors()).toMatch(/\\"email\\" has two handlers: built in and .*handlers\.ts/);
  });

  it('ends with 3 where there is no Redis', async () => {
    const port = await freePort();
    const redis = {
      kind: 'single',
      nodes: [{ host: '127.0.0.1', port }],
      db: 0,
      username: null,
      password: null,
      tls: null,
      prefix: 'mr',
    };
    const { ended } = await start({ redis }, { ready: false });
    expect((await ended).code).toBe(3);
  });
});
