/**
 * WebSocket clients that do not keep up: they never read, or were away for longer than anything is kept. They are cut back
 * or told to start over, and the server holds no more for them than its bound (catalogue 54, 56).
 */
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { LIMITS } from '#queue/contract/limits';
import { CLOSE_CODES, ServerFrame } from '#queue/contract/stream';
import { submitAll } from '../support/engine';
import { InputWorld } from '../support/input-world';
import { waitFor } from '../support/millrace-process';
import { PeakMemory } from '../support/process-probe';
import { StreamClient } from '../support/stream-world';

const MiB = 1024 * 1024;
const STUCK = 20;
/** A client that was cut back has 30 s to read what waits for it, and then 2 s until its socket is taken. */
const PATIENCE_MS = 30_000;

let input: InputWorld;
let url: string;
beforeAll(async () => {
  input = await InputWorld.start();
  url = `ws://127.0.0.1:${input.port}/ws`;
}, 90_000);
afterAll(() => input?.[Symbol.asyncDispose]());

const submit = async (count: number, queue: string, payload = {}) => {
  const tasks = Array.from({ length: count }, () => ({ task_type: 'nobody', queue, payload }));
  expect((await input.api.call('POST', '/api/tasks/bulk', { tasks })).status).toBe(201);
};

const held = async () => (await input.probe.look(input.server)).heldBytes;

it('closes clients that never read with 1013, after half a minute, and holds 4 MiB for each at most', async () => {
  await submit(60, 'wide', { text: 'x'.repeat(10_000) }); // a snapshot is half a megabyte
  const before = await held();
  using peak = new PeakMemory(input.server.pid);
  const resident = peak.bytes;
  const reader = new StreamClient(url);
  await reader.next('snapshot');
  const stuck = await Promise.all(
    Array.from({ length: STUCK }, async () => {
      const ws = new WebSocket(url, { perMessageDeflate: false });
      await once(ws, 'open');
      ws.pause();
      return ws;
    }),
  );
  const began = performance.now();
  // Each asks for snapshot after snapshot: 20 MB that it does not read.

  for (let round = 0; round < 40; round++) {
    for (const ws of stuck) {
      ws.send('{"type":"unsubscribe"}');
      ws.send('{"type":"subscribe","topics":["tasks"]}');
    }
    reader.send({ type: 'unsubscribe' });
    reader.send({ type: 'subscribe', topics: ['tasks'] });
    await reader.next('snapshot'); // so that each round has one of its own
  }
  const ended = performance.now();
  const codes = new Map<WebSocket, number>();
  for (const ws of stuck) ws.once('close', (code) => codes.set(ws, code));
  // Time itself is the fault. The close frame comes half a minute after some round; who reads again between it and the
  // end of the socket sees the code, so every second one looks, each at another moment.
  const [looking, never] = [stuck.filter((_, n) => n % 2 === 0), stuck.filter((_, n) => n % 2 === 1)];
  const [first, last] = [began + PATIENCE_MS, ended + PATIENCE_MS + 3000];
  for (const [n, ws] of looking.entries()) {
    const at = first + ((last - first) * n) / (looking.length - 1);
    setTimeout(() => ws.resume(), at - performance.now());
  }
  for (const ws of never) setTimeout(() => ws.resume(), last + 1000 - performance.now());
  await submit(1, 'wide');
  expect((await reader.next('task')).event).toBe('created'); // others are told meanwhile
  const gone = () => (never.every((ws) => codes.has(ws)) ? true : null);
  await waitFor('the end of those that never read', gone, PATIENCE_MS + 15_000);
  expect([...codes.values()]).toContain(CLOSE_CODES.tooSlow);
  expect(new Set(never.map((ws) => codes.get(ws)))).toEqual(new Set([1006]));
  for (const ws of looking) ws.terminate();
  expect(peak.bytes - resident).toBeLessThan(STUCK * 2 * LIMITS.wsBufferedBytes);
  reader.ws.terminate();
  await waitFor('its memory to be free again', async () => ((await held()) - before < 10 * MiB ? true : null));
});

it('tells a client that was away what it missed, and one that was away too long to start over', async () => {
  const leave = async () => {
    const client = new StreamClient(url);
    await once(client.ws, 'open');
    client.send({ type: 'subscribe', topics: ['queue:away'] });
    const { seq } = await client.next('subscribed');
    client.ws.terminate();
    return seq;
  };
  const comeBack = async (since: number) => {
    const client = new StreamClient(url);
    await once(client.ws, 'open');
    client.send({ type: 'subscribe', topics: ['queue:away'], since });
    await client.next('subscribed');
    return client;
  };
  const since = await leave();
  await submit(10, 'away');
  const soon = await comeBack(since);
  await waitFor('what it missed', () => (soon.tasks().length === 10 ? true : null));
  expect(soon.tasks().map(({ seq }) => seq)).toEqual(Array.from({ length: 10 }, (_, n) => since + 1 + n));
  expect(soon.types()).not.toContain('resync');
  await submit(LIMITS.wsReplayFrames, 'away');
  const all = 10 + LIMITS.wsReplayFrames;
  await waitFor('the server to have told all', () => (soon.tasks().length === all ? true : null), 60_000);
  soon.ws.terminate();
  const late = await comeBack(since);
  expect((await late.next('resync')).reason).toMatch(/not known/);
  const snapshot = await late.next('snapshot');
  await submit(1, 'away');
  expect((await late.next('task')).seq).toBe(snapshot.seq + 1);
  late.ws.terminate();
});

it('tells everyone to start over where the server itself was away past the end of the stream', async () => {
  const client = new StreamClient(url);
  await client.next('snapshot');
  await submit(1, 'default');
  await client.next('task');
  const beside = input.world.engine;
  input.server.signal('SIGSTOP');
  for (let n = 0; n < 20; n++) await submitAll(beside, [{ type: 'nobody' }]); // an entry each
  await beside.store.command('trim', (redis) => redis.xtrim(beside.store.keys.events('default'), 'MAXLEN', 5));
  input.server.signal('SIGCONT');
  await submit(3, 'default');
  expect((await client.next('resync')).reason).toMatch(/lost/);
  expect(ServerFrame.parse(await client.next('snapshot')).type).toBe('snapshot');
  client.ws.terminate();
});

it('has done all that and still does its work', async () => {
  const { grown } = await input.stillWorks();
  const alarms = input.logged.split('\n').filter((line) => /unexpected|unhandled|"level":"(error|fatal)"/i.test(line));
  expect({ alarms, grown }).toEqual({ alarms: [], grown: [] });
});
