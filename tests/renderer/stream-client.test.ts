import { expect, it, vi } from 'vitest';
import type { ServerFrame } from '#queue/contract/stream';
import { StreamClient, type StreamPhase } from '../../src-renderer/net/stream-client';
import { statsOf } from '../support/wire';
import { snapshotOf, TestTime, taskFrame } from './support';

/** What a browser's WebSocket is to the client, driven by the test. */
class FakeSocket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly sent: unknown[] = [];
  closed = false;
  readonly protocols: string[];

  constructor(protocols: string[]) {
    this.protocols = protocols;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.closed = true;
  }

  receive(...frames: unknown[]): void {
    for (const frame of frames) this.onmessage?.({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) });
  }
}

function setup(options: { token?: string; random?: number } = {}) {
  const time = new TestTime(options.random ?? 0.5);
  const sockets: FakeSocket[] = [];
  const frames: ServerFrame[] = [];
  const phases: StreamPhase[] = [];
  let refused = 0;
  const client = new StreamClient({
    url: 'ws://127.0.0.1/ws',
    token: () => options.token ?? null,
    time,
    open: (_, protocols) => {
      const socket = new FakeSocket(protocols);
      sockets.push(socket);
      return socket as unknown as WebSocket;
    },
    onFrame: (frame) => frames.push(frame),
    onPhase: (phase) => phases.push(phase),
    onRefused: () => refused++,
  });
  client.start();
  const socket = () => sockets[sockets.length - 1] as FakeSocket;
  const hello = { type: 'hello', protocol: 1, seq: 10, heartbeat: 15, version: '1' };
  const snapshot = (seq: number) => ({ type: 'snapshot', seq, ...snapshotOf() });
  const goLive = (seq = 10) => {
    socket().onopen?.();
    socket().receive(hello, snapshot(seq));
  };
  return { client, time, sockets, socket, frames, phases, goLive, hello, snapshot, refused: () => refused };
}

const phase = (phases: StreamPhase[]) => phases[phases.length - 1]?.name;

it('is live with the first snapshot, and asks for nothing before', () => {
  const { socket, frames, phases, goLive } = setup();
  goLive();
  expect(socket().sent).toEqual([]);
  expect(frames.map((frame) => frame.type)).toEqual(['hello', 'snapshot']);
  expect(phase(phases)).toBe('live');
});

it('sends the token as a subprotocol', () => {
  expect(setup({ token: 's3cret' }).socket().protocols).toEqual(['millrace', 'bearer.s3cret']);
  expect(setup().socket().protocols).toEqual(['millrace']);
});

it('answers pings and keeps them to itself', () => {
  const { socket, frames, goLive } = setup();
  goLive();
  socket().receive({ type: 'ping', at: '2026-11-22T12:00:00.000Z' });
  expect(socket().sent).toEqual([{ type: 'pong' }]);
  expect(frames).toHaveLength(2);
});

it('goes on after a loss from the last number it saw', () => {
  const { time, socket, frames, phases, goLive, hello, snapshot } = setup();
  goLive(10);
  socket().receive(taskFrame(11), taskFrame(12));
  socket().onclose?.();
  expect(phases[phases.length - 1]).toMatchObject({ name: 'waiting', attempt: 1 });
  time.advance(250);
  socket().onopen?.();
  expect(socket().sent).toEqual([{ type: 'subscribe', since: 12 }]);
  const before = frames.length;
  socket().receive(
    hello,
    snapshot(14),
    taskFrame(15),
    { type: 'subscribed', topics: ['tasks'], seq: 12 },
    taskFrame(13),
  );
  expect(frames.slice(before).map((frame) => frame.type)).toEqual(['hello', 'subscribed', 'task']);
  expect(phase(phases)).toBe('live');
});

it('starts over with a snapshot when the server says so', () => {
  const { socket, frames, phases, goLive, snapshot } = setup();
  goLive(10);
  socket().receive({ type: 'resync', reason: 'lost' });
  expect(phase(phases)).toBe('resyncing');
  socket().receive(snapshot(90), taskFrame(91));
  expect(phase(phases)).toBe('live');
  expect(frames[frames.length - 1]).toMatchObject({ type: 'task', seq: 91 });
});

it('hands on nothing after a hole, and connects again for a snapshot', () => {
  const { time, socket, sockets, frames, goLive } = setup();
  goLive(10);
  socket().receive(taskFrame(12));
  expect(frames.some((frame) => frame.type === 'task')).toBe(false);
  expect(socket().closed).toBe(true);
  time.advance(500);
  expect(sockets).toHaveLength(2);
  socket().onopen?.();
  expect(socket().sent).toEqual([]);
});

it('waits longer and longer, up to a bound, and begins anew after it was live', () => {
  const { time, socket, phases, goLive } = setup({ random: 1 });
  const waits: number[] = [];
  for (let n = 0; n < 8; n++) {
    socket().onclose?.();
    const last = phases[phases.length - 1];
    if (last?.name !== 'waiting') throw new Error('it should wait');
    waits.push(last.retryAt - time.now());
    time.advance(15_000);
  }
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
  goLive();
  socket().onclose?.();
  expect(phases[phases.length - 1]).toMatchObject({ retryAt: time.now() + 500, attempt: 1 });
});

it('tells when a connection could not be opened, and not when one was lost', () => {
  const { socket, goLive, refused, time } = setup();
  socket().onclose?.();
  expect(refused()).toBe(1);
  time.advance(1000);
  goLive();
  socket().onclose?.();
  expect(refused()).toBe(1);
});

it('leaves a server that sends nothing for three heartbeats', () => {
  const { time, socket, sockets, goLive } = setup();
  goLive();
  const first = socket();
  time.advance(44_000);
  expect(first.closed).toBe(false);
  time.advance(1000);
  expect(first.closed).toBe(true);
  time.advance(1000);
  expect(sockets).toHaveLength(2);
});

it('connects at once when asked, and not again when stopped', () => {
  const { client, time, socket, sockets, phases } = setup({ random: 1 });
  socket().onclose?.();
  client.retryNow();
  expect(sockets).toHaveLength(2);
  client.retryNow();
  expect(sockets).toHaveLength(2);
  client.stop();
  time.advance(60_000);
  expect(sockets).toHaveLength(2);
  expect(phase(phases)).toBe('stopped');
});

it('passes over what it does not know', () => {
  const { socket, frames, goLive } = setup();
  goLive();
  socket().receive('not json', { type: 'novelty' }, { type: 'stats', stats: statsOf() });
  expect(frames[frames.length - 1]?.type).toBe('stats');
});

it('counts the silence from the last frame, and sets no timer for each of them', () => {
  const { time, socket, goLive } = setup();
  goLive();
  const connected = socket();
  const timers = vi.spyOn(time, 'after');
  time.advance(40_000);
  for (let seq = 11; seq <= 1010; seq++) connected.receive({ ...taskFrame(seq), seq });
  expect(timers).not.toHaveBeenCalled();
  time.advance(44_000);
  expect(connected.closed).toBe(false);
  time.advance(1000);
  expect(connected.closed).toBe(true);
});
