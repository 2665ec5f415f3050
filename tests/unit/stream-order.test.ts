import { expect, it } from 'vitest';
import { LIMITS } from '#queue/contract/limits';
import { operation } from '../support/api-world';
import { change, emptySnapshot, startStream } from '../support/stream-world';
import { idOf } from '../support/wire';

it('sends hello, then the snapshot, then every change, numbered without a gap', async () => {
  await using world = await startStream();
  const client = world.client();
  const hello = await client.next('hello');
  const snapshot = await client.next('snapshot');
  expect(hello).toMatchObject({ protocol: 1, heartbeat: 15, version: '1.2.3', seq: snapshot.seq });
  world.emit(change(1), change(2, { event: 'started', status: 'processing', attempts: 1, maxRetries: 3 }));
  world.emit(change(2, { event: 'completed', status: 'completed' }));
  await client.settled();
  expect(client.types()).toEqual(['hello', 'session', 'snapshot', 'task', 'task', 'task']);
  expect(client.tasks().map((frame) => frame.seq - snapshot.seq)).toEqual([1, 2, 3]);
  expect(client.tasks()[1]?.task).toEqual({
    id: idOf(2),
    queue: 'default',
    task_type: 'email',
    status: 'processing',
    attempts: 1,
    max_retries: 3,
  });
  expect(client.tasks()[2]?.task.finished_at).toBe('2026-11-22T12:00:00.000Z');
});

it('sends what happens while the snapshot is read after it, and loses none of it', async () => {
  let finish: (() => void) | undefined;
  await using world = await startStream({
    snapshot: () =>
      new Promise((resolve) => {
        finish = () => resolve(emptySnapshot());
      }),
  });
  const client = world.client();
  const hello = await client.next('hello');
  world.emit(change(1), change(2));
  await client.settled();
  expect(client.types()).toEqual(['hello', 'session']);
  finish?.();
  expect((await client.next('snapshot')).seq).toBe(hello.seq);
  expect((await client.next('task')).seq).toBe(hello.seq + 1);
  expect((await client.next('task')).seq).toBe(hello.seq + 2);
});

it('shares one snapshot among clients that came before its reading began', async () => {
  const finish: (() => void)[] = [];
  await using world = await startStream({
    snapshot: () => new Promise((resolve) => finish.push(() => resolve(emptySnapshot()))),
  });
  const clients = [world.client(), world.client(), world.client()];
  await Promise.all(clients.map((client) => client.next('hello')));
  finish[0]?.();
  await expect.poll(() => finish.length).toBe(2);
  finish[1]?.();
  await Promise.all(clients.map((client) => client.next('snapshot')));
  expect(world.reads.snapshot).toBe(2);
});

it('waits for a snapshot while it cannot be read, and tells that Redis is down', async () => {
  let broken = true;
  await using world = await startStream({
    snapshot: () => (broken ? Promise.reject(new Error('redis went away')) : Promise.resolve(emptySnapshot())),
  });
  world.server.redisIs('down');
  const client = world.client();
  expect((await client.next('connection')).redis).toBe('down');
  broken = false;
  world.server.redisIs('up');
  expect((await client.next('connection')).redis).toBe('up');
  await world.clock.advance(1000);
  await client.next('snapshot');
});

it('numbers the frames of a filter on their own', async () => {
  await using world = await startStream();
  const client = await world.live();
  client.send({ type: 'subscribe', topics: ['queue:emails', `task:${idOf(7)}`] });
  const { seq, topics } = await client.next('subscribed');
  expect(topics).toEqual(['queue:emails', `task:${idOf(7)}`]);
  for (let n = 1; n <= 9; n++) world.emit(change(n, { queue: n % 3 === 0 ? 'emails' : 'other' }));
  await client.settled();
  expect(client.tasks().map((frame) => [frame.seq - seq, frame.task.id])).toEqual([
    [1, idOf(3)],
    [2, idOf(6)],
    [3, idOf(7)],
    [4, idOf(9)],
  ]);
});

it('sends no new snapshot for fewer topics, and one for more', async () => {
  await using world = await startStream();
  const client = await world.live();
  client.send({ type: 'subscribe', topics: ['tasks'] });
  await client.next('subscribed');
  client.send({ type: 'subscribe', topics: ['queue:emails'] });
  await client.next('subscribed');
  await client.settled();
  expect(client.types()).toEqual(['hello', 'session', 'snapshot', 'subscribed', 'subscribed']);
  client.send({ type: 'subscribe', topics: ['stats'] });
  expect((await client.next('subscribed')).topics).toEqual(['queue:emails', 'stats', 'tasks']);
  await client.next('snapshot');
});

it('stops sending what is unsubscribed', async () => {
  await using world = await startStream();
  const client = await world.live();
  client.send({ type: 'unsubscribe', topics: ['tasks'] });
  expect((await client.next('subscribed')).topics).toEqual([
    'alerts',
    'operations',
    'queues',
    'stats',
    'system',
    'workers',
  ]);
  world.emit(change(1));
  await client.settled();
  expect(client.tasks()).toEqual([]);
  client.send({ type: 'unsubscribe' });
  expect((await client.next('subscribed')).topics).toEqual([]);
});

it('sends operations and alerts to those who follow them', async () => {
  await using world = await startStream();
  const [all, tasksOnly] = [await world.live(), await world.live()];
  tasksOnly.send({ type: 'subscribe', topics: ['tasks'] });
  await tasksOnly.next('subscribed');
  world.server.push({ type: 'operation', operation: operation() });
  world.server.push({ type: 'alert', message: 'emails is late' });
  expect(await all.next('operation')).toEqual({ type: 'operation', operation: operation() });
  expect((await all.next('alert')).message).toBe('emails is late');
  await tasksOnly.settled();
  expect(tasksOnly.types()).toEqual(['hello', 'session', 'snapshot', 'subscribed']);
});

it('goes on after a lost connection with the frames that were missed, and no snapshot', async () => {
  await using world = await startStream();
  const first = await world.live();
  world.emit(change(1));
  const { seq } = await first.next('task');
  first.ws.terminate();
  await expect.poll(() => world.server.clients).toBe(0);
  world.emit(change(2), change(3));
  const second = world.client();
  second.ws.once('open', () => second.send({ type: 'subscribe', since: seq }));
  expect((await second.next('subscribed')).seq).toBe(seq);
  expect(await second.next('task')).toMatchObject({ seq: seq + 1, task: { id: idOf(2) } });
  expect(await second.next('task')).toMatchObject({ seq: seq + 2, task: { id: idOf(3) } });
  world.emit(change(4));
  expect((await second.next('task')).seq).toBe(seq + 3);
});

it('resumes over as many frames as it keeps, and resyncs over one more', async () => {
  await using world = await startStream();
  const { seq } = await world.live();
  const changes = Array.from({ length: LIMITS.wsReplayFrames }, (_, n) => change(n));
  world.emit(...changes);
  const reader = await world.live();
  reader.send({ type: 'subscribe', since: seq });
  await reader.next('subscribed');
  for (let n = 1; n <= LIMITS.wsReplayFrames; n++) expect((await reader.next('task')).seq).toBe(seq + n);
  world.emit(change(0));
  await reader.next('task');
  reader.send({ type: 'subscribe', since: seq });
  await reader.next('resync');
  expect((await reader.next('snapshot')).seq).toBe(seq + LIMITS.wsReplayFrames + 1);
});

it.each([
  ['of an earlier process', () => 5],
  ['of the future', (seq: number) => seq + 1],
])('answers a position %s with resync and a snapshot', async (_, since) => {
  await using world = await startStream();
  const client = await world.live();
  client.send({ type: 'subscribe', since: since(client.seq) });
  await client.next('subscribed');
  await client.next('resync');
  expect((await client.next('snapshot')).seq).toBe(client.seq);
});

it('takes no position of other topics for its own', async () => {
  await using world = await startStream();
  const client = await world.live();
  client.send({ type: 'subscribe', topics: ['queue:emails'], since: client.seq });
  await client.next('resync');
  const { seq } = await client.next('snapshot');
  expect(seq).not.toBe(client.seq);
});

it('forgets a position when nobody came back for some minutes', async () => {
  await using world = await startStream();
  const first = await world.live();
  first.ws.terminate();
  await expect.poll(() => world.server.clients).toBe(0);
  await world.clock.advance(5 * 60_000 + 1000);
  const second = await world.live();
  expect(second.seq).toBeGreaterThan(first.seq);
  second.send({ type: 'subscribe', since: first.seq });
  await second.next('resync');
});

it('tells everyone to start over when the feed has lost events, and lets no one resume across it', async () => {
  await using world = await startStream();
  const [a, b] = [await world.live(), await world.live()];
  world.gap();
  for (const client of [a, b]) {
    await client.next('resync');
    const snapshot = await client.next('snapshot');
    world.emit(change(1));
    expect((await client.next('task')).seq).toBeGreaterThan(snapshot.seq);
  }
  a.send({ type: 'subscribe', since: a.seq });
  await a.next('subscribed');
  await a.next('resync');
});
