/** The checks of the soak see what they are there for: a soak that finds nothing says something only if they do. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { encodeSpec } from '#queue/redis/task-record';
import { checkBooks } from '../soak/books';
import { Executions, restartsAfter } from '../soak/executions';
import { growth } from '../soak/footprint';
import { Seeded } from '../soak/seeded';
import { StreamFollower } from '../soak/stream-follower';
import { Submissions } from '../soak/submissions';
import { planned, timetable } from '../soak/timetable';
import { taskSpec } from '../support/engine';
import { PLACES, type QueueSnapshot } from '../support/queue-snapshot';
import { change, startStream } from '../support/stream-world';
import { idOf } from '../support/wire';

/** What handlers would have left. */
function executionsOf(lines: readonly string[]): Executions {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-soak-lines-'));
  writeFileSync(join(folder, 'executions'), `${lines.join('\n')}\n`);
  const executions = new Executions(join(folder, 'executions')).refresh();
  rmSync(folder, { recursive: true, force: true });
  return executions;
}

const hex = (n: number, width: number) => n.toString(16).padStart(width, '0');

interface Run {
  kind: string;
  attempt: number;
  from: number;
  to: number;
  /** Named in its result. */
  execution?: string;
}

function segment({ kind, attempt, from, to, execution }: Run): string {
  const item = `${String(attempt).padStart(4, '0')}00045${hex(from, 11)}soak`;
  const body = execution === undefined ? '' : JSON.stringify({ execution, attempt });
  const text = `${kind}${to}|${item}|${to}:n|w1|${body.length}|${body}`;
  return `${text}${hex(text.length, 8)}\n`;
}

/** One task that was accepted under the key `k1`, ran once and is complete, and what is changed of that. */
function world({
  runs = [{ kind: 'C', attempt: 1, from: 1000, to: 1200, execution: 'e1' }] as Run[],
  lines = ['begin t1 1 e1 7 1010', 'end t1 1 e1 7 1190'],
  place = 'completed' as 'completed' | 'pending',
  told = { k1: ['t1'] } as Record<string, string[]>,
  ids = { t1: 'k1' } as Record<string, string>,
} = {}) {
  const sets = Object.fromEntries([...PLACES, 'expiring'].map((name) => [name, new Map<string, number>()]));
  const records = new Map<string, string>();
  for (const [id, idempotencyKey] of Object.entries(ids)) {
    records.set(id, `0001${hex(1, 12)}${hex(900, 11)}${encodeSpec(taskSpec({ type: 'soak', idempotencyKey }))}`);
    sets[place]?.set(id, 1);
  }
  const histories = new Map([['t1', runs.map(segment).join('')]]);
  const submissions = new Submissions();
  for (const [key, told_] of Object.entries(told)) {
    submissions.invoke(key);
    for (const id of told_) submissions.told(key, id);
  }
  const executions = executionsOf(lines);
  const { faults } = checkBooks({ sets, records, histories } as unknown as QueueSnapshot, submissions, executions);
  return Object.keys(faults).filter((name) => faults[name]?.length !== 0);
}

it('finds nothing in books that are in order', () => {
  expect(world()).toEqual([]);
  const lost = { kind: 'L', attempt: 1, from: 500, to: 900 };
  const done = { kind: 'C', attempt: 2, from: 1000, to: 1200, execution: 'e2' };
  const lines = ['begin t1 1 e1 7 510', 'begin t1 2 e2 8 1010', 'end t1 2 e2 8 1190'];
  expect(world({ runs: [lost, done], lines })).toEqual([]);
});

it('finds what was lost, made up, stored twice, or not brought to its end', () => {
  expect(world({ told: { k1: ['t1'], k2: ['t2'] } })).toEqual(['lost']);
  expect(world({ ids: { t1: 'k1', t2: 'k2' } })).toEqual(['unexpected']);
  expect(world({ ids: { t1: 'k1', t2: 'k1' } })).toEqual(['acceptedTwice']);
  expect(world({ told: { k1: ['t1', 't2'] }, ids: { t1: 'k1', t2: 'k3' } })).toEqual(['unexpected', 'toldTwice']);
  expect(world({ place: 'pending' })).toEqual(['notTerminal']);
});

it('finds two leases at a time, an attempt too many, a run without a lease, and a result written under a lost lease', () => {
  const done = { kind: 'C', attempt: 1, from: 1000, to: 1200, execution: 'e1' };
  expect(world({ runs: [{ kind: 'L', attempt: 0, from: 500, to: 1001 }, done] })).toEqual(['overlapping']);
  const fifth = { ...done, attempt: 5 };
  expect(world({ runs: [fifth], lines: ['begin t1 5 e1 7 1010', 'end t1 5 e1 7 1190'] })).toEqual(['overMaximum']);
  const again = ['begin t1 1 e1 7 1010', 'end t1 1 e1 7 1190', 'begin t1 1 e9 8 1020'];
  expect(world({ lines: again })).toEqual(['withoutLease']);
  const second = { ...done, attempt: 2 };
  const first = { kind: 'L', attempt: 1, from: 500, to: 900 };
  const frozen = ['begin t1 1 e1 7 510', 'begin t1 2 e2 8 1010', 'end t1 1 e1 7 1190'];
  expect(world({ runs: [first, second], lines: frozen })).toEqual(['stale']);
});

it('plans what twenty minutes must show, whatever the seed', () => {
  for (const seed of [1, 2, 3]) {
    const table = timetable(20, [], new Seeded(seed));
    const count = (name: string) => table.filter((one) => one.name === name).length;
    expect(count('worker killed')).toBeGreaterThanOrEqual(100);
    for (const name of ['Redis killed', 'network cut', 'worker frozen', 'Redis frozen'])
      expect(count(name)).toBeGreaterThanOrEqual(20);
    expect(table.length).toBe(Object.values(planned(20)).reduce((sum, n) => sum + n));
    expect(table.every(({ atMs }) => atMs % 60_000 < 52_000 && atMs < 20 * 60_000)).toBe(true);
  }
  expect(timetable(2, [], new Seeded(5))).toEqual(timetable(2, [], new Seeded(5)));
});

it('counts from the death of a process to the moment when what it ran began again', () => {
  const lines = ['begin a 1 e1 7 900', 'begin b 1 e2 7 950', 'end b 1 e2 7 990', 'begin a 2 e3 8 9000'];
  const after = (outages: [number, number][]) => restartsAfter([{ pid: 7, at: 1000 }], outages, executionsOf(lines));
  expect(after([[500, 999]])).toEqual([{ ms: 8000, disturbed: false }]);
  expect(after([[8000, 9500]])).toEqual([{ ms: 8000, disturbed: true }]);
});

it('sees what has grown, and keys that are left over', () => {
  const body = { heap: 50_000_000, rss: 100_000_000, fds: 20 };
  const before = { server: body, worker: body, redisBytes: 2_000_000, redisClients: 20, leftover: [] };
  expect(growth(before, before)).toEqual([]);
  const after = {
    server: { ...body, heap: 53_000_000, fds: 23 },
    worker: body,
    redisBytes: 2_600_000,
    redisClients: 23,
    leftover: ['mr:{default}:t:1'],
  };
  expect(growth(before, after)).toHaveLength(5);
});

it('follows the events, and tells an end that it did not hear of though nobody said that something is missing', async () => {
  await using stream = await startStream();
  const follower = new StreamFollower(stream.url.replace('ws', 'http').replace(/\/ws$/, ''));
  const following = follower.follow(null);
  await follower.live();
  const at = Date.UTC(2026, 10, 22, 12);
  const end = (n: number) => ({ id: idOf(n), status: 'completed', at });
  stream.emit(change(1), change(1, { event: 'completed', status: 'completed' }));
  await expect.poll(() => follower.saw(idOf(1), 'completed')).toBe(true);
  expect(follower.missed([end(1)])).toEqual([]);
  // Later than everything that it has heard of: nobody said that anything might be missing there.
  expect(follower.missed([{ ...end(2), at: at + 60_000 }])).toEqual([{ ...end(2), at: at + 60_000 }]);
  expect(follower.wrong).toEqual([]);
  follower.stop();
  await following;
});

it('tells numbers that are missing, and a position that was given up in silence', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const task = (seq: number) => ({
    type: 'task',
    seq,
    event: 'started',
    at: '2026-11-22T12:00:00.000Z',
    task: { id: idOf(1), queue: 'default', task_type: 'soak', status: 'processing' },
  });
  const subscribed = (seq: number) => ({ type: 'subscribed', topics: ['tasks'], seq });
  const answers = [
    [subscribed(10), task(11), task(13)],
    [subscribed(7), task(8)],
  ];
  server.on('connection', (socket) => {
    socket.on('message', () => {
      for (const frame of answers.shift() ?? []) socket.send(JSON.stringify(frame));
      if (answers.length > 0) socket.close();
    });
  });
  const follower = new StreamFollower(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const following = follower.follow(null);
  await expect
    .poll(() => follower.wrong)
    .toEqual(['frame 13 came where 12 was next', 'frame 8 came where a resync was due']);
  follower.stop();
  await following;
  server.close();
});
