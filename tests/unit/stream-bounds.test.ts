import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { expect, it } from 'vitest';
import { QueueError } from '#queue/contract/errors';
import { LIMITS } from '#queue/contract/limits';
import { turn } from '../support/manual-clock';
import { change, type StreamClient, startStream } from '../support/stream-world';

const BIG = 'x'.repeat(100_000);

/** 100 kB a change, each seen by `reader` before the next: what others do not read piles up. */
async function flood(
  world: Pick<Awaited<ReturnType<typeof startStream>>, 'emit'>,
  reader: StreamClient,
  changes: number,
): Promise<void> {
  for (let n = 0; n < changes; n++) {
    world.emit(change(n, { progressMessage: BIG }));
    await reader.next('task');
  }
}

it('pings every heartbeat and closes a client that has said nothing for three', async () => {
  await using world = await startStream();
  const client = await world.live();
  const closed = client.closed();
  await world.clock.advance(44_000);
  await client.next('ping');
  await client.next('ping');
  await world.clock.advance(1000);
  expect((await closed).code).toBe(4408);
});

it.each([
  ['a pong frame', (client: { send(frame: unknown): void }) => client.send({ type: 'pong' })],
  ['a pong of the protocol', (client: { ws: { pong(): void } }) => client.ws.pong()],
])('keeps a client that answers with %s', async (_, answer) => {
  await using world = await startStream();
  const client = await world.live();
  for (let n = 0; n < 5; n++) {
    await world.clock.advance(15_000);
    await client.next('ping');
    answer(client as never);
    await client.settled();
  }
  expect(client.ws.readyState).toBe(client.ws.OPEN);
});

it.each([
  ['text that is not JSON', 'hello?'],
  ['an unknown type', { type: 'shout' }],
  ['a topic that there is not', { type: 'subscribe', topics: ['everything'] }],
  ['a field that there is not', { type: 'subscribe', topic: ['tasks'] }],
  [
    'too many topics',
    { type: 'subscribe', topics: Array.from({ length: LIMITS.wsTopics + 1 }, (_, n) => `queue:q${n}`) },
  ],
])('answers %s with an error, and the third with the end', async (_, frame) => {
  await using world = await startStream();
  const client = await world.live();
  const closed = client.closed();
  client.send(frame);
  client.send(frame);
  await client.next('error');
  await client.next('error');
  expect(client.ws.readyState).toBe(client.ws.OPEN);
  client.send(frame);
  await client.next('error');
  expect((await closed).code).toBe(1008);
});

it('refuses a choice of topics that grows too large, and keeps the old one', async () => {
  await using world = await startStream();
  const client = await world.live();
  const topics = Array.from({ length: LIMITS.wsTopics }, (_, n) => `queue:q${n}`);
  client.send({ type: 'subscribe', topics });
  expect((await client.next('subscribed')).topics).toHaveLength(LIMITS.wsTopics);
  client.send({ type: 'subscribe', topics: ['queue:one-more'] });
  expect((await client.next('error')).message).toMatch(/at most 50/);
  world.emit(change(1, { queue: 'q1' }), change(2, { queue: 'one-more' }));
  await client.settled();
  expect(client.tasks().map((frame) => frame.task.queue)).toEqual(['q1']);
});

it('closes a client that sends a message past the bound', async () => {
  await using world = await startStream();
  const client = await world.live();
  const closed = client.closed();
  client.send(`"${'x'.repeat(LIMITS.wsMessageBytes)}"`);
  expect((await closed).code).toBe(1009);
});

it('drops frames of a client that reads too slowly, and starts over with it when it has caught up', async () => {
  await using world = await startStream();
  const [slow, quick] = [await world.live(), await world.live()];
  slow.ws.pause();
  await flood(world, quick, 500);
  slow.ws.resume();
  await slow.next('resync');
  const before = slow.tasks();
  expect(before.map((frame) => frame.seq)).toEqual(before.map((_, n) => slow.seq + 1 + n));
  expect(before.length).toBeLessThan(400);
  expect(slow.bytes).toBeLessThan(before.length * 100_500);
  const snapshot = await slow.next('snapshot');
  expect(snapshot.seq).toBe(slow.seq + 500);
  world.emit(change(1));
  expect((await slow.next('task')).seq).toBe(snapshot.seq + 1);
  expect(quick.types()).not.toContain('resync');
});

it('tells the outcome of a choice that was made meanwhile', async () => {
  await using world = await startStream();
  const [slow, quick] = [await world.live(), await world.live()];
  slow.ws.pause();
  await flood(world, quick, 300);
  slow.send({ type: 'subscribe', topics: ['queue:emails'] });
  await quick.settled();
  slow.ws.resume();
  expect((await slow.next('subscribed')).topics).toEqual(['queue:emails']);
  await slow.next('resync');
  await slow.next('snapshot');
});

it('closes a client that does not catch up in 30 seconds', async () => {
  await using world = await startStream();
  const [stuck, quick] = [await world.live(), await world.live()];
  stuck.ws.pause();
  await flood(world, quick, 300);
  const closed = stuck.closed();
  await world.clock.advance(31_000);
  stuck.ws.resume();
  expect((await closed).code).toBe(1013);
});

it('takes the socket from a client that neither reads nor goes', async () => {
  await using world = await startStream();
  const [stuck, quick] = [await world.live(), await world.live()];
  stuck.ws.pause();
  await flood(world, quick, 300);
  quick.send({ type: 'pong' });
  await world.clock.advance(34_000);
  await expect.poll(() => world.server.clients).toBe(1);
});

it('computes stats, queues and workers only while someone listens, and sends them when they change', async () => {
  await using world = await startStream();
  await world.clock.advance(10_000);
  expect(world.reads).toEqual({ system: 0, operations: 0, snapshot: 0, stats: 0, queues: 0, workers: 0 });
  const client = await world.live();
  client.send({ type: 'subscribe', topics: ['tasks', 'stats'] });
  await client.next('subscribed');
  world.emit(change(1));
  await world.clock.advance(250);
  expect((await client.next('stats')).stats.total).toBe(0);
  world.emit(change(2));
  await world.clock.advance(250);
  world.state.stats = { ...world.state.stats, total: 2 };
  world.emit(change(3));
  await world.clock.advance(250);
  expect((await client.next('stats')).stats.total).toBe(2);
  await client.settled();
  expect(client.types().filter((type) => type === 'stats')).toHaveLength(2);
  expect(world.reads).toMatchObject({ queues: 0, workers: 0 });
});

it('sends stats at most four times a second, however much happens', async () => {
  await using world = await startStream();
  const client = await world.live();
  for (let n = 0; n < 200; n++) {
    world.state.stats = { ...world.state.stats, total: n };
    world.emit(change(n));
    await world.clock.advance(10);
  }
  await client.settled();
  const sent = client.types().filter((type) => type === 'stats').length;
  expect(sent).toBeGreaterThanOrEqual(4);
  expect(sent).toBeLessThanOrEqual(8);
});

it('looks again without any change only every two seconds', async () => {
  await using world = await startStream();
  await world.live();
  await world.clock.advance(10_000);
  expect(world.reads.stats).toBeGreaterThanOrEqual(4);
  expect(world.reads.stats).toBeLessThanOrEqual(6);
});

it('says goodbye with 1001 when the server stops', async () => {
  await using world = await startStream();
  const client = await world.live();
  const closed = client.closed();
  await world.server.stop();
  expect((await closed).code).toBe(1001);
  expect(world.server.clients).toBe(0);
});

const upgrade = async (url: string, path: string, headers: Record<string, string> = {}) => {
  const { hostname, port } = new URL(url);
  const req = request({
    hostname,
    port,
    path,
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    },
  });
  req.end();
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of res) body += String(chunk);
  return { status: res.statusCode, type: res.headers['content-type'], body: JSON.parse(body) as unknown };
};

it.each([
  ['FOREIGN_HOST', 421, 'checkRequest'],
  ['FOREIGN_ORIGIN', 403, 'checkRequest'],
  ['UNAUTHENTICATED', 401, 'authenticate'],
] as const)('answers an upgrade that fails with %s as HTTP %i', async (code, status, step) => {
  await using world = await startStream({
    [step]: () => {
      throw new QueueError(code, 'not you');
    },
  });
  expect(await upgrade(world.url, '/ws')).toMatchObject({
    status,
    type: 'application/problem+json',
    body: { status, detail: 'not you' },
  });
});

it('serves no other path', async () => {
  await using world = await startStream();
  expect((await upgrade(world.url, '/wsx')).status).toBe(404);
  expect((await upgrade(world.url, '/')).status).toBe(404);
});

it('chooses its own subprotocol and never echoes the token', async () => {
  await using world = await startStream();
  const client = world.client(['millrace', 'bearer.secret']);
  await client.next('hello');
  expect(client.ws.protocol).toBe('millrace');
});

it('turns away clients past the bound, and takes one again when another has left', async () => {
  await using world = await startStream();
  const clients = await Promise.all(Array.from({ length: LIMITS.wsClients }, () => world.live()));
  expect((await upgrade(world.url, '/ws')).status).toBe(429);
  clients[0]?.ws.terminate();
  await expect.poll(() => world.server.clients).toBe(LIMITS.wsClients - 1);
  await world.live();
});

it('survives a client that vanishes in the middle of everything', async () => {
  await using world = await startStream();
  const [gone, stays] = [await world.live(), await world.live()];
  gone.ws.terminate();
  world.emit(change(1));
  await turn();
  world.emit(change(2));
  await stays.next('task');
  expect((await stays.next('task')).seq).toBe(stays.seq + 2);
});
