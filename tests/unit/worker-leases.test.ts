import { describe, expect, it } from 'vitest';
import type { LeaseRef, WorkerBeat, WorkerCommand } from '#queue/engine/ports';
import { HeldTable, HeldView } from '#worker/held-table';
import { LeaseBeat } from '#worker/lease-beat';
import { FakeDirectory } from '../support/fake-directory';
import { FakeEngine } from '../support/fake-engine';
import { ManualClock } from '../support/manual-clock';
import { type LogRecord, recordingLog, settled } from '../support/worker-world';

const lease = (n: number, queue = 'default') => ({ queue, id: `ID${n}`, token: `${n}:w-abc.${n}` });

describe('the table of held leases', () => {
  it('shows what is held to every reader of its memory', () => {
    const table = new HeldTable(10);
    const view = new HeldView(table.memory);
    expect(view.leases()).toEqual([]);
    table.add(lease(1));
    table.add(lease(2, 'mail'));
    expect(view.leases()).toEqual([lease(1), lease(2, 'mail')]);
    table.remove(lease(1).token);
    expect(view.leases()).toEqual([lease(2, 'mail')]);
    expect([table.room, table.size]).toEqual([9, 1]);
  });

  it('uses its slots again, a thousand times over', () => {
    const table = new HeldTable(4);
    const view = new HeldView(table.memory);
    for (let i = 0; i < 1_000; i++) {
      table.add(lease(i));
      if (i >= 3) table.remove(lease(i - 3).token);
    }
    expect(
      view
        .leases()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(['ID997', 'ID998', 'ID999']);
  });

  it('holds as many as it has slots, and refuses one more', () => {
    const table = new HeldTable(2);
    table.add(lease(1));
    table.add(lease(2));
    expect(table.room).toBe(0);
    expect(() => table.add(lease(3))).toThrow(RangeError);
    expect(() => new HeldTable(2).add({ ...lease(1), token: 'x'.repeat(500) })).toThrow(RangeError);
  });

  it('keeps leases of queues that were unknown when it was made, with the longest names there are', () => {
    const table = new HeldTable(2);
    const view = new HeldView(table.memory);
    const long = { queue: 'q'.repeat(64), id: 'I'.repeat(26), token: `${2 ** 53}:n-${'x'.repeat(40)}` };
    table.add(long);
    table.add(lease(1, 'new'));
    expect(view.leases()).toEqual([long, lease(1, 'new')]);
  });

  it('ignores a removal of what is not held', () => {
    const table = new HeldTable(2);
    table.remove('nothing');
    expect(table.room).toBe(2);
  });
});

const beatOf = (state: WorkerBeat['state']): WorkerBeat => ({
  id: 'w-test',
  host: 'here',
  pid: 1,
  version: '0',
  state,
  pool: null,
  queues: [{ name: 'default', weight: 1 }],
  task_types: ['job'],
  concurrency: 1,
  running: [],
  completed: 0,
  failed: 0,
  memory_bytes: 1,
  event_loop_lag_ms: 0,
  blocked: false,
  started_at: '2026-11-22T12:00:00.000Z',
});

async function beating({ leaseMs = 10_000, maxBlockMs = 60_000 } = {}) {
  const clock = new ManualClock();
  const engine = new FakeEngine(clock);
  const directory = new FakeDirectory();
  const table = new HeldTable(2_000);
  const logs: LogRecord[] = [];
  const lost: LeaseRef[] = [];
  const cancels: LeaseRef[] = [];
  const commands: WorkerCommand[] = [];
  const beat = new LeaseBeat({
    engine,
    directory,
    view: new HeldView(table.memory),
    clock,
    log: recordingLog(logs),
    leaseMs,
    maxBlockMs,
    events: {
      lost: (leases) => lost.push(...leases),
      cancelRequested: (leases) => cancels.push(...leases),
      command: (command) => commands.push(command),
    },
  });
  await beat.start();
  /** Time in which the main loop turns, or does not. */
  const pass = async (ms: number, { blocked = false } = {}) => {
    for (let at = 0; at < ms; at += 500) {
      if (!blocked) table.tick();
      await clock.advance(500);
      await settled();
    }
  };
  /** A task that the engine knows and the table holds. */
  const held = async (queue = 'default') => {
    const task = engine.add({ queue });
    const call = {
      queue,
      workerId: 'w-test',
      lane: '0',
      nonce: `n${task.id}`,
      settles: [],
      want: 1,
      leaseMs,
      types: ['job'],
    };
    const [claimed] = (await engine.work(call)).claimed;
    if (claimed === undefined) throw new Error('nothing claimed');
    table.add({ queue, id: claimed.id, token: claimed.token });
    return { task, token: claimed.token };
  };
  return { clock, engine, directory, table, logs, lost, cancels, commands, beat, pass, held };
}

describe('the keeping of leases', () => {
  it('survives a main loop that is blocked, for the declared time and no longer', async () => {
    const { engine, pass, held, logs, beat } = await beating({ maxBlockMs: 30_000 });
    await held();
    await pass(5_000);
    for (let i = 0; i < 29; i++) {
      await pass(1_000, { blocked: true });
      expect(engine.reap()).toEqual([]);
    }
    await pass(15_000, { blocked: true });
    expect(engine.reap()).toHaveLength(1);
    expect(logs.some(({ level, message }) => level === 'error' && message.includes('blocked'))).toBe(true);
    await beat.stop();
  });

  it('goes on when the loop turns again, and tells what was lost meanwhile', async () => {
    const { engine, pass, held, lost, beat } = await beating({ maxBlockMs: 10_000 });
    const first = await held();
    await pass(40_000, { blocked: true });
    engine.reap();
    engine.steal(first.task.id);
    const second = await held('mail');
    await pass(5_000);
    expect(lost).toContainEqual({ id: first.task.id, token: first.token });
    expect(lost.some(({ id }) => id === second.task.id)).toBe(false);
    await pass(20_000);
    expect(engine.reap()).toEqual([]);
    await beat.stop();
  });

  it('sends the heartbeats of a blocked worker, marked so, and brings its commands', async () => {
    const { directory, pass, beat, commands } = await beating();
    beat.worker = beatOf('running');
    await pass(10_000);
    expect(directory.beats).toEqual([]);
    directory.commands.push('stop');
    await pass(10_000, { blocked: true });
    expect(directory.beats.length).toBeGreaterThanOrEqual(2);
    expect(directory.beats.every(({ blocked }) => blocked)).toBe(true);
    expect(commands).toEqual(['stop']);
    await beat.stop();
  });

  it('takes one call for a queue, however many are held, up to the bound of a call', async () => {
    const { engine, table, pass, beat } = await beating();
    for (let i = 0; i < 1_200; i++) table.add(lease(i, i % 2 === 0 ? 'default' : 'mail'));
    await pass(1_000);
    expect(engine.extended.map(({ queue, held: leases }) => [queue, leases.length]).sort()).toEqual([
      ['default', 100],
      ['default', 500],
      ['mail', 100],
      ['mail', 500],
    ]);
    await beat.stop();
  });

  it('does not ask Redis while nothing is held', async () => {
    const { engine, pass, beat } = await beating();
    await pass(60_000);
    expect(engine.extended).toEqual([]);
    await beat.stop();
  });

  it('tries again soon after a failure, well before the lease is over', async () => {
    const { engine, pass, held, beat } = await beating();
    await held();
    await pass(2_000);
    engine.fail('extend', 'refused', 'refused', 'lost');
    await pass(6_000);
    expect(engine.extended.length).toBeGreaterThanOrEqual(4);
    for (let i = 0; i < 20; i++) {
      await pass(1_000);
      expect(engine.reap()).toEqual([]);
    }
    await beat.stop();
  });

  it('keeps the old and the new lease of one task apart', async () => {
    const { engine, table, pass, held, lost, beat } = await beating();
    const { task, token } = await held();
    table.add({ queue: 'default', id: task.id, token: '0:old' });
    await pass(1_000);
    expect(engine.extended).toHaveLength(2);
    expect(lost).toEqual([{ id: task.id, token: '0:old' }]);
    expect(table.holds(token)).toBe(true);
    await beat.stop();
  });

  it('repeats a wish to cancel with every beat', async () => {
    const { engine, pass, held, cancels, beat } = await beating();
    const { task, token } = await held();
    engine.cancel(task.id);
    await pass(2_000);
    expect(cancels).toEqual([
      { id: task.id, token },
      { id: task.id, token },
    ]);
    await beat.stop();
  });
});
