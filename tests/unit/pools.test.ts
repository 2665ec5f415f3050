import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LeftWorkers } from '#main/pools/left-workers';
import { WorkerPools } from '#main/pools/pool-manager';
import { PoolStore } from '#main/pools/pool-store';
import { KEPT_EXITS, type PoolSpec, WorkerPool, type WorkerPoolDeps } from '#main/pools/worker-pool';
import type { CreatePool } from '#queue/contract/worker';
import { systemClock } from '#queue/kernel/clock';
import { silentLog } from '#queue/kernel/log';

/** A worker without a queue: announces itself, obeys signals, and does what its configuration says. */
const CHILD = `
const config = JSON.parse(process.env.MILLRACE_WORKER_CONFIG);
process.on('SIGTERM', () => { console.log('got SIGTERM'); if (!config.stubborn) process.exit(0); });
process.on('SIGUSR1', () => console.log('quiet now'));
process.on('disconnect', () => process.exit(3));
process.on('message', (message) => {
  if (message.type !== 'detach' || config.stubborn) return;
  process.removeAllListeners('disconnect');
  process.send({ type: 'detached' });
});
console.log('argv ' + process.argv.length + ' ' + config.concurrency);
process.send({ type: 'ready', workerId: 'w' + process.pid });
process.send({ type: 'running', tasks: config.tasks ?? [] }, () => {
  if (config.fate === 'crash') { console.error('dying words'); process.exitCode = 7; process.disconnect(); }
  else setInterval(() => {}, 1000);
});
if (config.fate === 'crash') process.removeAllListeners('disconnect');
`;

let dir: string;
let pools: { kill(): Promise<void> }[];
const pids = new Set<number>();
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-pools-'));
  writeFileSync(join(dir, 'child.cjs'), CHILD);
  pools = [];
  pids.clear();
});
afterEach(async () => {
  await Promise.all(pools.map((pool) => pool.kill()));
  rmSync(dir, { recursive: true, force: true });
});

const input: CreatePool = {
  name: 'one',
  queues: [{ name: 'default', weight: 1 }],
  concurrency: 4,
  processes: 1,
  handlers: null,
  autoscale: null,
};
const specOf = (change: Partial<PoolSpec> = {}): PoolSpec => ({ id: 'p1', ...input, ...change });

const deps = (child: Record<string, unknown> = {}, change: Partial<WorkerPoolDeps> = {}): WorkerPoolDeps => ({
  program: { entry: join(dir, 'child.cjs'), env: { PATH: process.env.PATH } },
  workerConfig: (spec) => ({ concurrency: spec.concurrency, ...child }),
  shutdownTimeoutMs: 0,
  clock: systemClock,
  log: silentLog,
  random: () => 0,
  onLine: () => undefined,
  ...change,
});

const poolOf = (
  spec = specOf(),
  child: Record<string, unknown> = {},
  change: Partial<WorkerPoolDeps> = {},
): WorkerPool => {
  const pool = new WorkerPool(spec, deps(child, change));
  pools.push(pool);
  return pool;
};
const until = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 20 });
const members = (pool: WorkerPool, state = 'running') => pool.view().members.filter((member) => member.state === state);
const alive = (pid: number | null): boolean => {
  try {
    return pid !== null && process.kill(pid, 0);
  } catch {
    return false;
  }
};
/** Also for one that nobody has collected yet: its parent may be this process. */
const ended = (pid: number): boolean => {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
};

describe('a worker pool', () => {
  it('runs as many processes as it should, and none after stop', async () => {
    const pool = poolOf(specOf({ processes: 2 }));
    await pool.start();
    await until(() => expect(members(pool)).toHaveLength(2));
    const found = members(pool).map((member) => member.pid);
    expect(members(pool).map((member) => member.worker_id)).toEqual(found.map((pid) => `w${pid}`));
    await pool.stop();
    expect(found.map(alive)).toEqual([false, false]);
    expect(pool.view().members).toEqual([]);
    expect(pool.view().exits).toEqual([]);
  });

  it('hands its configuration over in the environment, not in the arguments, and keeps what is printed', async () => {
    const pool = poolOf(specOf({ concurrency: 9 }));
    await pool.start();
    await until(() => expect(pool.view().output).toContain('argv 2 9'));
  });

  it('starts a process again that crashed, and records how it ended and what it ran', async () => {
    const tasks = [{ id: '01KA9Z6Q0MB0Q3T5V7X9YABCDE', task_type: 'email' }];
    const pool = poolOf(specOf(), { fate: 'crash', tasks });
    await pool.start();
    await until(() => expect(pool.view().exits.length).toBeGreaterThanOrEqual(2));
    const { exits, output, members: now } = pool.view();
    expect(exits[0]).toMatchObject({ code: 7, signal: null, reason: 'exited with code 7', running: tasks });
    expect(output).toContain('dying words');
    expect(now[0]?.restarts).toBeGreaterThan(0);
  });

  it('names the signal that killed a process', async () => {
    const pool = poolOf();
    await pool.start();
    await until(() => expect(members(pool)).toHaveLength(1));
    const [first] = members(pool);
    process.kill(first?.pid ?? 0, 'SIGKILL');
    await until(() =>
      expect(pool.view().exits[0]).toMatchObject({ code: null, signal: 'SIGKILL', reason: 'killed by SIGKILL' }),
    );
    await until(() => expect(members(pool)[0]?.restarts).toBe(1));
    expect(members(pool)[0]?.pid).not.toBe(first?.pid);
  });

  it('waits longer after every end in a row, by the lot that it draws', async () => {
    const slept: number[] = [];
    const clock = { ...systemClock, sleep: async (ms: number) => void slept.push(ms) };
    const pool = poolOf(specOf(), { fate: 'crash' }, { clock, random: () => 1 });
    await pool.start();
    await until(() => expect(slept.length).toBeGreaterThanOrEqual(4));
    expect(slept.slice(0, 4)).toEqual([500, 1000, 2000, 4000]);
  });

  it('keeps a bounded number of exits', async () => {
    const clock = { ...systemClock, sleep: async () => undefined };
    const pool = poolOf(specOf({ processes: 4 }), { fate: 'crash' }, { clock });
    await pool.start();
    await until(() =>
      expect(pool.view().members.reduce((sum, member) => sum + member.restarts, 0)).toBeGreaterThan(KEPT_EXITS),
    );
    expect(pool.view().exits).toHaveLength(KEPT_EXITS);
  });

  it('kills a process that does not stop in its time', async () => {
    let killNow: () => void = () => undefined;
    const late = new Promise<void>((resolve) => {
      killNow = resolve;
    });
    const pool = poolOf(specOf(), { stubborn: true }, { clock: { ...systemClock, sleep: () => late } });
    await pool.start();
    await until(() => expect(members(pool)).toHaveLength(1));
    const stopped = pool.stop();
    await until(() => expect(pool.view().output).toContain('got SIGTERM'));
    expect(pool.view().members[0]?.state).toBe('stopping');
    killNow();
    await stopped;
    expect(pool.view().members).toEqual([]);
  });

  it('replaces its processes when they are to serve something else, and only then', async () => {
    const pool = poolOf();
    await pool.start();
    await until(() => expect(members(pool)).toHaveLength(1));
    const before = members(pool)[0]?.pid;
    pool.update(specOf({ name: 'renamed' }));
    expect(members(pool)[0]?.pid).toBe(before);
    pool.update(specOf({ concurrency: 5 }));
    await until(() => expect(pool.view().output).toContain('argv 2 5'));
    await until(() => expect(pool.view().members).toHaveLength(1));
    expect(members(pool)[0]?.pid).not.toBe(before);
    expect(alive(before ?? null)).toBe(false);
  });

  it('stops the idlest ones when there should be fewer', async () => {
    let started = 0;
    const workerConfig = () => ({ tasks: started++ === 0 ? [{ id: 'a', task_type: 't' }] : [] });
    const pool = poolOf(
      specOf({ processes: 3, autoscale: { min: 1, max: 3, target_latency: 1 } }),
      {},
      { workerConfig },
    );
    await pool.start();
    await until(() => expect(members(pool)).toHaveLength(3));
    await until(() => expect(pool.runningTasks).toBe(1));
    const busy = members(pool)[0]?.pid;
    pool.scaleTo(1);
    await until(() => expect(pool.view().members).toHaveLength(1));
    expect(pool.view().members[0]?.pid).toBe(busy);
    pool.scaleTo(99);
    expect(pool.size).toBe(3);
  });

  it('quiets its processes', async () => {
    const pool = poolOf();
    await pool.start();
    await until(() => expect(members(pool)).toHaveLength(1));
    pool.quiet();
    await until(() => expect(pool.view().output).toContain('quiet now'));
  });

  it('keeps who printed a line, and when', async () => {
    const pool = poolOf(specOf(), {}, { clock: { ...systemClock, now: () => 1_800_000_000_000 } });
    await pool.start();
    await until(() => expect(members(pool)).toHaveLength(1));
    const [, second] = [...pool.view().log, ...pool.view().log];
    expect(second).toMatchObject({ at: '2027-01-15T08:00:00.000Z', line: 'argv 2 4' });
    pool.quiet();
    const [member] = members(pool);
    await until(() =>
      expect(pool.view().log.at(-1)).toMatchObject({ worker_id: member?.worker_id, line: 'quiet now' }),
    );
    expect(pool.view().output).toEqual(pool.view().log.map(({ line }) => line));
  });

  it('is restarted one process after the other', async () => {
    const pool = poolOf(specOf({ processes: 3 }));
    await pool.start();
    await until(() => expect(members(pool)).toHaveLength(3));
    const before = members(pool).map(({ pid }) => pid);
    let most = 0;
    const watch = () => {
      most = Math.max(most, members(pool, 'starting').length);
      expect(members(pool).length + members(pool, 'starting').length).toBeGreaterThanOrEqual(3);
    };
    expect(pool.restart()).toBe(true);
    expect(pool.restart()).toBe(false);
    expect(pool.view().restarting).toEqual({ done: 0, of: 3 });
    await until(() => {
      watch();
      expect(pool.view().restarting).toBeNull();
    });
    expect(most).toBe(1);
    const after = members(pool).map(({ pid }) => pid);
    expect(after).toHaveLength(3);
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
    expect(pool.view().exits).toEqual([]);
  });

  it('keeps the rest of its processes where a new one does not come up', async () => {
    let started = 0;
    const entry = join(dir, 'late.cjs');
    writeFileSync(entry, `if (JSON.parse(process.env.MILLRACE_WORKER_CONFIG).broken) process.exit(9);\n${CHILD}`);
    const pool = poolOf(
      specOf({ processes: 2 }),
      {},
      {
        program: { entry, env: { PATH: process.env.PATH } },
        workerConfig: () => ({ broken: started++ >= 2 }),
      },
    );
    await pool.start();
    await until(() => expect(members(pool)).toHaveLength(2));
    const before = members(pool).map(({ pid }) => pid);
    pool.restart();
    await until(() => expect(pool.view().restarting).toBeNull());
    expect(members(pool).map(({ pid }) => pid)).toEqual([before[1]]);
    expect(pool.view().exits[0]?.code).toBe(9);
  });

  it('replaces the process of one worker, and knows those of others', async () => {
    const pool = poolOf(specOf({ processes: 2 }));
    await pool.start();
    await until(() => expect(members(pool)).toHaveLength(2));
    const [first, second] = members(pool);
    expect(pool.restartWorker('w-elsewhere')).toBe(false);
    expect(pool.restartWorker(first?.worker_id ?? '')).toBe(true);
    await until(() => {
      expect(pool.view().members).toHaveLength(2);
      expect(members(pool)).toHaveLength(2);
    });
    const after = members(pool).map(({ pid }) => pid);
    expect(after).toContain(second?.pid);
    expect(after).not.toContain(first?.pid);
  });

  it('tells why a program cannot be started, and goes on trying', async () => {
    const pool = poolOf(
      specOf(),
      {},
      { program: { entry: join(dir, 'child.cjs'), env: {}, execPath: join(dir, 'nothing') } },
    );
    await pool.start();
    await until(() => expect(pool.view().exits[0]?.reason).toContain('did not start'));
  });
});

describe('the pools of a process', () => {
  const managerOf = (configured: CreatePool | null = null): WorkerPools => {
    const manager = new WorkerPools({
      ...deps(),
      configured,
      store: new PoolStore(join(dir, 'data/pools.json')),
      left: new LeftWorkers(join(dir, 'data/left-workers.json'), silentLog),
    });
    pools.push(manager);
    return manager;
  };

  it('starts pools that were made earlier again, with their changes', async () => {
    const first = managerOf(input);
    await first.start();
    const made = await first.create({ ...input, name: 'mails', concurrency: 2 });
    await first.patch(made.id, { processes: 2 });
    await first.patch('default', { concurrency: 8 });
    await first.stop();
    expect(statSync(join(dir, 'data/pools.json')).mode & 0o777).toBe(0o600);

    const second = managerOf(input);
    await second.start();
    const found = await second.list();
    expect(found.map(({ id, name, concurrency, processes }) => ({ id, name, concurrency, processes }))).toEqual([
      { id: 'default', name: 'one', concurrency: 4, processes: 1 },
      { id: made.id, name: 'mails', concurrency: 2, processes: 2 },
    ]);
    expect(await second.remove(made.id)).toBe(true);
    expect(await new PoolStore(join(dir, 'data/pools.json')).load()).toEqual([]);
  });

  it('refuses a name that is taken, and handlers that are no folder', async () => {
    const manager = managerOf(input);
    await manager.start();
    await expect(manager.create(input)).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(manager.create({ ...input, name: 'b', handlers: join(dir, 'none') })).rejects.toMatchObject({
      code: 'INVALID',
    });
    await expect(manager.patch('default', { handlers: 'relative' })).rejects.toMatchObject({ code: 'INVALID' });
    expect(await manager.list()).toHaveLength(1);
  });

  it('restarts a pool once at a time', async () => {
    const manager = managerOf(input);
    await manager.start();
    await until(() => expect(manager.pools[0]?.view().members[0]?.state).toBe('running'));
    expect((await manager.restart('default'))?.restarting).toEqual({ done: 0, of: 1 });
    await expect(manager.restart('default')).rejects.toMatchObject({ code: 'CONFLICT' });
    await until(() => expect(manager.pools[0]?.view().restarting).toBeNull());
  });

  it('lets go of its processes, and the next start asks them to finish', async () => {
    const first = managerOf({ ...input, processes: 2 });
    await first.start();
    const serving = async () =>
      (await first.list()).flatMap((pool) => pool.members).filter((m) => m.state === 'running');
    await vi.waitFor(async () => expect(await serving()).toHaveLength(2), { timeout: 10_000 });
    const left = (await serving()).map((member) => member.pid ?? 0);
    for (const pid of left) pids.add(pid);
    await first.detach();
    await first.stop(); // has nothing left to stop
    expect(left.map(alive)).toEqual([true, true]);

    const second = managerOf({ ...input, processes: 1 });
    await second.start();
    await until(() => expect(left.map(ended)).toEqual([true, true]));
    expect((await second.list())[0]?.members).toHaveLength(1);
  });

  it('stops a process that does not serve yet when it lets go of the others', async () => {
    const manager = managerOf(input);
    await manager.start();
    const pid = (await manager.list())[0]?.members[0]?.pid ?? 0;
    await manager.detach();
    expect(alive(pid)).toBe(false);
  });

  it('answers for pools that it does not have', async () => {
    const manager = managerOf();
    await manager.start();
    expect(await manager.patch('nope', {})).toBeNull();
    expect(await manager.remove('nope')).toBe(false);
    expect(await manager.restart('nope')).toBeNull();
    expect(await manager.restartWorker('nope')).toBeNull();
  });

  it('does not replace a file that it cannot read', async () => {
    const path = join(dir, 'pools.json');
    writeFileSync(path, '{"version":9}');
    await expect(new PoolStore(path).load()).rejects.toThrow('does not hold pools');
    writeFileSync(path, 'x');
    await expect(new PoolStore(path).load()).rejects.toThrow('is not JSON');
  });
});
