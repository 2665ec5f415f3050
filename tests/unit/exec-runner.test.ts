import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { LIMITS } from '#queue/contract/limits';
import { CancelledError } from '#worker/abort-reasons';
import { LineCutter, readProgramLine } from '#worker/exec-protocol';
import type { ExecHandlerDefinition } from '#worker/handler';
import { attemptWorld } from '../support/attempt-world';
import { eventually } from '../support/worker-world';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function folder(): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'millrace-exec-')));
  ends.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

const ENVIRONMENT = {
  PATH: process.env.PATH,
  HOME: '/home/nobody',
  LANG: 'C.UTF-8',
  REDIS_URL: 'redis://:secret@h',
  MILLRACE_TOKEN: 't',
};

async function world(command: ExecHandlerDefinition['exec'], env: Record<string, string> = {}) {
  const path = await folder();
  const all = await attemptWorld([{ handler: { type: 'prog', exec: command, env }, folder: path }], ENVIRONMENT);
  ends.push(() => all.close());
  const start = (payload: unknown = {}) => all.run({ type: 'prog', payload: JSON.stringify(payload) });
  return { ...all, folder: path, start, result: async (payload?: unknown) => (await start(payload)).ended };
}

const sh = (script: string) => ['/bin/sh', '-c', script] as const;
const node = (script: string) => [process.execPath, '-e', script] as const;

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** The pid that a program wrote into a file. */
async function pidIn(file: string): Promise<number> {
  let pid = Number.NaN;
  const look = () =>
    void readFile(file, 'utf8')
      .then((text) => (pid = Number.parseInt(text, 10)))
      .catch(() => undefined);
  await eventually(() => {
    look();
    return pid > 0;
  }, 'the pid file');
  return pid;
}

describe('a program', () => {
  it('gets the payload on standard input, and its standard output is the result', async () => {
    const { result } = await world(['cat']);
    expect(await result({ text: 'grüße\n', list: [1, null] })).toMatchObject({
      status: 'completed',
      result: { text: 'grüße\n', list: [1, null] },
    });
  });

  it('may answer nothing, which is null, and need not read its input', async () => {
    const { result } = await world(sh('exit 0'));
    expect(await result({ big: 'x'.repeat(200_000) })).toMatchObject({ status: 'completed', result: null });
  });

  it('runs without a shell: what looks like one is text', async () => {
    const { result } = await world(['printf', '%s', '"$(id)`;&&|"']);
    expect(await result()).toMatchObject({ status: 'completed', result: '$(id)`;&&|' });
  });

  it('gets a clean environment: nothing of ours but the names of the task', async () => {
    const { start } = await world(node('console.log(JSON.stringify(process.env))'), { EXTRA: 'yes' });
    const { task, ended } = await start();
    expect((await ended).result).toEqual({
      PATH: process.env.PATH,
      HOME: '/home/nobody',
      LANG: 'C.UTF-8',
      EXTRA: 'yes',
      MILLRACE_TASK_ID: task.id,
      MILLRACE_TASK_TYPE: 'prog',
      MILLRACE_ATTEMPT: '1',
    });
  });

  it('starts in the folder of its handler, from where relative paths lead', async () => {
    const { folder: path, result } = await world(['./bin/hello']);
    await mkdir(join(path, 'bin'));
    await writeFile(join(path, 'bin/hello'), '#!/bin/sh\nprintf \'"%s"\' "$PWD"\n');
    await chmod(join(path, 'bin/hello'), 0o755);
    expect((await result()).result).toBe(path);
  });

  it('tells progress and logs on standard error', async () => {
    const { result } = await world(
      sh(
        `echo '{"progress":40,"message":"half way"}' >&2; echo '{"log":"warn","message":"careful"}' >&2; echo plain >&2; echo '{"odd":1}' >&2; printf 'no newline' >&2`,
      ),
    );
    const task = await result();
    expect(task).toMatchObject({ status: 'completed', progress: 40, progressMessage: 'half way' });
    expect(task.logs.map(({ level, message }) => [level, message])).toEqual([
      ['warn', 'careful'],
      ['info', 'plain'],
      ['info', '{"odd":1}'],
      ['info', 'no newline'],
    ]);
  });
});

describe('a program that fails', () => {
  it('is retried, and the error quotes the end of its standard error', async () => {
    const { result } = await world(sh('for i in 1 2 3 4 5 6 7 8; do echo "line $i" >&2; done; exit 3'));
    const task = await result();
    expect(task).toMatchObject({ status: 'retrying', error: { name: 'ExitError' } });
    expect(task.error?.message).toBe('the program ended with exit code 3: line 4\nline 5\nline 6\nline 7\nline 8');
  });

  it('with exit code 65 is not retried, with 75 it is', async () => {
    expect(await (await world(sh('echo bad input >&2; exit 65'))).result()).toMatchObject({
      status: 'failed',
      error: { name: 'FatalError', message: 'the program ended with exit code 65: bad input' },
    });
    expect((await (await world(sh('exit 75'))).result()).status).toBe('retrying');
  });

  it('by a signal says so', async () => {
    expect((await (await world(sh('kill -SEGV $$'))).result()).error?.message).toBe(
      'the program was killed by SIGSEGV',
    );
  });

  it('to start says so, and is retried', async () => {
    expect(await (await world(['no-such-program-here'])).result()).toMatchObject({
      status: 'retrying',
      error: { name: 'ExitError', message: expect.stringContaining('ENOENT') },
    });
  });

  it('to write JSON fails for good', async () => {
    expect(await (await world(sh('echo hello'))).result()).toMatchObject({
      status: 'failed',
      error: { name: 'ResultError' },
    });
  });

  it('by writing without end is killed, and fails for good', async () => {
    const { result } = await world(['yes']);
    expect(await result()).toMatchObject({
      status: 'failed',
      error: { name: 'ResultError', message: expect.stringContaining(String(LIMITS.resultBytes)) },
    });
  });

  it('by a progress that is no number of the contract is an ordinary line', async () => {
    const task = await (await world(sh(`echo '{"progress":"half"}' >&2`))).result();
    expect(task).toMatchObject({ status: 'completed', progress: 0 });
    expect(task.logs.map(({ message }) => message)).toEqual(['{"progress":"half"}']);
  });
});

describe('a program that is told to stop', () => {
  it('gets SIGTERM with everything that it has started, and the task ends as cancelled', async () => {
    const { start, folder: path } = await world(sh('sleep 100 & echo $! > child.pid; echo $$ > own.pid; wait'));
    const { ended, abort } = await start();
    const [own, child] = [await pidIn(join(path, 'own.pid')), await pidIn(join(path, 'child.pid'))];
    abort(new CancelledError());
    expect((await ended).status).toBe('cancelled');
    await eventually(() => !alive(own) && !alive(child), 'the end of both');
  });

  it('is killed two seconds later when it ignores that', async () => {
    const { start, folder: path } = await world(sh('trap "" TERM; echo $$ > own.pid; while :; do sleep 0.1; done'));
    const { ended, abort } = await start();
    const own = await pidIn(join(path, 'own.pid'));
    abort(new CancelledError());
    const before = performance.now();
    await ended;
    expect(performance.now() - before).toBeGreaterThan(1_900);
    await eventually(() => !alive(own), 'its end');
  });

  it('leaves nothing behind when the worker ends', async () => {
    const { start, folder: path, programs } = await world(sh('sleep 100 & echo $! > child.pid; wait'));
    const { ended } = await start();
    const child = await pidIn(join(path, 'child.pid'));
    programs.killAll();
    expect((await ended).error?.message).toContain('SIGKILL');
    await eventually(() => !alive(child), 'the end of what it had started');
  });

  it('and something that it left running cannot hold up its result', async () => {
    const { result, folder: path } = await world(sh('sleep 100 & echo $! > child.pid; echo \'"done"\''));
    expect(await result()).toMatchObject({ status: 'completed', result: 'done' });
    const child = await pidIn(join(path, 'child.pid'));
    await eventually(() => !alive(child), 'the end of what it had left');
  });
});

describe('lines of standard error', () => {
  it('are whole whatever the chunks are, and bounded', () => {
    const lines: string[] = [];
    const cutter = new LineCutter(10, (line) => lines.push(line));
    for (const byte of Buffer.from('grün\n\n0123456789abcdef\nlast')) cutter.push(Buffer.from([byte]));
    cutter.end();
    expect(lines).toEqual(['grün', '0123456789', 'last']);
  });

  it.each(['{', '{"progress":1', 'null', '[]', '{"log":"shout","message":"x"}', '{"log":"info"}'])(
    'that are none of ours are log lines: %s',
    (line) => {
      expect(readProgramLine(line)).toEqual({ kind: 'log', level: 'info', message: line });
    },
  );
});
