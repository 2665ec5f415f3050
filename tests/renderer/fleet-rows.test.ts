import { describe, expect, it } from 'vitest';
import type { Pool, Worker } from '#queue/contract/worker';
import {
  exitsOf,
  type FleetRow,
  flatRows,
  fleetRows,
  groupFleet,
  sumOf,
} from '../../src-renderer/views/workers/fleet-rows';
import { ago, NOON, poolOf, processOf, runningTask, workerOf } from './fleet';

const fleet = (pools: Pool[], workers: Worker[]) => groupFleet({ pools, workers, silentMs: () => 0, now: NOON });
const NOTHING = { closed: new Set<string>(), whole: new Set<string>() };
const shown = (rows: FleetRow[]) => rows.map((row) => (row.kind === 'fold' ? `+${row.count} ${row.words}` : row.key));
const end = { at: ago(5), worker_id: 'a1', code: 3, signal: null, reason: 'exited with code 3', running: [] };

describe('the fleet', () => {
  it('gathers workers by pool, in the order of its processes, and those of no pool of this server at the end', () => {
    const groups = fleet(
      [poolOf('mail', ['m2', 'm1']), poolOf('images', ['i1'])],
      [
        workerOf('far', { pool: 'of-another-server' }),
        workerOf('hand'),
        workerOf('m1', { pool: 'mail' }),
        workerOf('i1', { pool: 'images' }),
      ],
    );
    expect(shown(fleetRows(groups, NOTHING, null))).toEqual([
      'images',
      'i1',
      'mail',
      'm2',
      'm1',
      'elsewhere',
      'far',
      'hand',
    ]);
    expect(groups[1]?.members.map(({ condition }) => condition)).toEqual(['starting', 'idle']);
    expect(shown(flatRows(groups))).toEqual(['i1', 'm2', 'm1', 'far', 'hand']);
  });

  it('keeps a worker that its pool has let go of in that pool, and forgets one that has crashed', () => {
    const [group] = fleet(
      [poolOf('mail', ['m2'], { exits: [end] })],
      [workerOf('old', { pool: 'mail' }), workerOf('a1', { pool: 'mail' })],
    );
    expect(group?.members.map(({ id, process }) => [id, process?.worker_id])).toEqual([
      ['m2', 'm2'],
      ['old', undefined],
    ]);
  });

  it('adds up only what is up', () => {
    const members = [processOf('a'), processOf('b', { state: 'waiting' }), processOf('c', { state: 'stopping' })];
    const [group] = fleet(
      [poolOf('mail', [], { members, processes: 2 })],
      [workerOf('a', { running: [runningTask(1)] }), workerOf('b'), workerOf('c', { version: '0.9.0' })],
    );
    expect(group && sumOf(group)).toEqual({ up: 1, busy: 1, slots: 4, versions: ['0.9.0', '1.0.0'] });
  });

  it('folds a large pool, but never a worker in trouble or the one that is open', () => {
    const ids = Array.from({ length: 9 }, (_, n) => `w${n}`);
    const workers = ids.map((id) => workerOf(id, id === 'w7' ? { blocked: true } : {}));
    const groups = fleet([poolOf('mail', ids)], workers);
    expect(shown(fleetRows(groups, NOTHING, 'w8'))).toEqual(['mail', 'w0', 'w1', 'w2', 'w7', 'w8', '+4 all idle']);
    expect(fleetRows(groups, { ...NOTHING, whole: new Set(['mail']) }, null)).toHaveLength(10);
    expect(fleetRows(fleet([poolOf('mail', ids.slice(1))], workers.slice(1)), NOTHING, null)).toHaveLength(9);
    expect(shown(fleetRows(groups, { ...NOTHING, closed: new Set(['mail']) }, 'w8'))).toEqual(['mail']);
  });

  it('lists the ends of all pools, newest first', () => {
    const later = { ...end, worker_id: 'b1', at: ago(1) };
    const list = exitsOf([poolOf('a', [], { exits: [end] }), poolOf('b', [], { exits: [later] })]);
    expect(list.map(({ pool, exit }) => [pool.id, exit.worker_id])).toEqual([
      ['b', 'b1'],
      ['a', 'a1'],
    ]);
  });
});
