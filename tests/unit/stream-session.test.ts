import { expect, it } from 'vitest';
import { operation } from '../support/api-world';
import { change, startStream } from '../support/stream-world';

const ofType = (client: { types(): string[] }, wanted: string) =>
  client.types().filter((type) => type === wanted).length;

it('tells everyone how safe mode stands, and when it changes, whatever they follow', async () => {
  await using world = await startStream({ safety: 'read_only' });
  const one = await world.live();
  const other = await world.live();
  other.send({ type: 'subscribe', topics: ['workers'] });
  await other.next('subscribed');
  expect(one.frames[1]).toEqual({
    type: 'session',
    safety: { level: 'read_only', unlocked_until: null, unlocked_by: null, locked: true },
  });
  const safety = world.safety.unlock('ada', 1);
  for (const client of [one, other]) expect(await client.next('session')).toEqual({ type: 'session', safety });
  world.safety.lock();
  expect((await one.next('session')).safety.locked).toBe(true);
});

it('tells within a second that an unlock has run out', async () => {
  await using world = await startStream({ safety: 'read_only' });
  const client = await world.live();
  world.safety.unlock('ada', 1);
  expect((await client.next('session')).safety.locked).toBe(false);
  await world.clock.advance(30_000);
  await client.settled(); // it is heard of: else it would be closed
  await world.clock.advance(31_000);
  expect((await client.next('session')).safety).toMatchObject({ locked: true, unlocked_until: null });
  await client.settled();
  expect(ofType(client, 'session')).toBe(3);
});

it('tells how Redis does every two seconds, whatever tasks do, and asks for it only while someone follows', async () => {
  await using world = await startStream();
  await world.clock.advance(10_000);
  expect(world.reads.system).toBe(0);
  const client = await world.live();
  for (let n = 0; n < 100; n++) {
    world.emit(change(n));
    await world.clock.advance(100);
  }
  await client.settled();
  expect(ofType(client, 'system')).toBeGreaterThanOrEqual(4);
  expect(ofType(client, 'system')).toBeLessThanOrEqual(5);
  expect(await client.next('system')).toEqual({ type: 'system', ...world.state.system });
  client.send({ type: 'unsubscribe', topics: ['system'] });
  await client.next('subscribed');
  const before = world.reads.system;
  await world.clock.advance(10_000);
  expect(world.reads.system).toBe(before);
});

it('brings running operations and the state of Redis with the snapshot', async () => {
  await using world = await startStream();
  world.state.operations = [operation({ state: 'paused' })];
  const { operations, system } = await world.client().next('snapshot');
  expect(operations).toEqual([operation({ state: 'paused' })]);
  expect(system).toEqual(world.state.system);
});

it('tells operations that have moved to those who follow them, once a second', async () => {
  await using world = await startStream();
  const all = await world.live();
  const others = await world.live();
  others.send({ type: 'subscribe', topics: ['tasks'] });
  await others.next('subscribed');
  world.news.push(operation({ done: 1 }), operation({ id: 'op-2', state: 'done' }));
  await world.clock.advance(1250);
  expect((await all.next('operation')).operation.done).toBe(1);
  expect((await all.next('operation')).operation).toMatchObject({ id: 'op-2', state: 'done' });
  await others.settled();
  expect(ofType(others, 'operation')).toBe(0);
  const looks = world.reads.operations;
  await world.clock.advance(10_000);
  expect(world.reads.operations - looks).toBeGreaterThanOrEqual(8);
  expect(world.reads.operations - looks).toBeLessThanOrEqual(10);
});
