/**
 * Brings frames to clients in order and without holes: hello, snapshot, then every frame of its topics, numbered.
 *
 * A client that needs a snapshot takes its channel's position first and is `holding` until the snapshot is read;
 * then it is sent the snapshot, what the log holds since that position, and is `live`. Nothing is buffered for it
 * meanwhile. Where the log does not reach back, or the client reads too slowly, it is told `resync` and starts over.
 */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { LIMITS } from '#queue/contract/limits';
import type { SafetyState } from '#queue/contract/session';
import { CLOSE_CODES, type ClientFrame, HEARTBEAT_SECONDS, PROTOCOL_VERSION } from '#queue/contract/stream';
import type { TaskChange } from '#queue/engine/ports';
import type { Clock } from '#queue/kernel/clock';
import { type Channel, ChannelBook, FrameLog } from './stream-channel';
import { type Client, nextTopics } from './stream-client';
import { StreamConnection } from './stream-connection';
import { encodeFrame, framesOnWire, snapshotFrame, taskFrame, taskFrameBody } from './stream-frames';
import { EVERYTHING, TopicSet } from './stream-topics';

interface Deps {
  clock: Clock;
  version: string;
  /** @returns the body of a snapshot whose reading began after the call, null when stopping */
  takeSnapshot: () => Promise<string | null>;
  /** How safe mode stands: told to everyone who comes, and when it changes. */
  safety: () => SafetyState;
  /** A client goes on from old values of the gauges. */
  onResume: () => void;
}

export class StreamHub {
  readonly #deps: Deps;
  readonly #book: ChannelBook;
  readonly #log = new FrameLog();
  readonly #clients = new Set<Client>();
  readonly #whenEmpty: (() => void)[] = [];
  #redis: 'up' | 'down' = 'up';
  #safetyTold: string;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#book = new ChannelBook(deps.clock);
    this.#safetyTold = JSON.stringify(deps.safety());
  }

  get clients(): number {
    return this.#clients.size;
  }

  join(ws: WebSocket, socket: Duplex): void {
    const topics = new TopicSet(EVERYTHING);
    const connection = new StreamConnection({
      ws,
      socket,
      clock: this.#deps.clock,
      events: {
        frame: (frame) => this.#obey(client, frame),
        lagging: () => {
          client.state = 'lagging';
          client.epoch++;
          client.channel.live.delete(client.connection);
        },
        drained: () => this.#drained(client),
        closed: () => this.#leave(client),
      },
    });
    const client: Client = {
      connection,
      topics,
      channel: this.#book.enter(topics),
      state: 'holding',
      chosen: false,
      epoch: 0,
      resyncTold: false,
      answerDue: false,
    };
    this.#clients.add(client);
    connection.tell({
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      seq: client.channel.position,
      heartbeat: HEARTBEAT_SECONDS,
      version: this.#deps.version,
    });
    connection.tell({ type: 'session', safety: this.#deps.safety() });
    if (this.#redis === 'down') connection.tell({ type: 'connection', redis: 'down' });
    this.#hold(client);
  }

  /** Numbers these changes in every channel that wants them and sends them to its live clients, in one write each. */
  publish(changes: readonly TaskChange[]): void {
    if (this.#book.size === 0) return;
    const frames = new Map<Channel, string[]>();
    for (const change of changes) {
      let body: string | undefined;
      for (const channel of this.#book.all()) {
        if (!channel.topics.wants(change.queue, change.id)) continue;
        if (body === undefined) {
          body = taskFrameBody(change);
          this.#log.add({ queue: change.queue, id: change.id, body });
        }
        channel.position++;
        if (channel.live.size === 0) continue;
        const frame = taskFrame(channel.position, body);
        const known = frames.get(channel);
        if (known === undefined) frames.set(channel, [frame]);
        else known.push(frame);
      }
    }
    for (const [channel, its] of frames) {
      const bytes = framesOnWire(its);
      for (const sink of channel.live) sink.sendOnWire(bytes);
    }
  }

  /** Changes were lost: no number can be resumed, everyone starts over with a snapshot. */
  breakOff(reason: string): void {
    this.#log.clear();
    for (const channel of this.#book.all()) channel.breakOff();
    for (const client of this.#clients) {
      if (client.state !== 'lagging') this.#resync(client, reason);
    }
  }

  /** To every live client that follows the topic. */
  broadcast(topic: string, frame: Buffer): void {
    for (const client of this.#clients) {
      if (client.state === 'live' && client.topics.has(topic)) client.connection.send(frame);
    }
  }

  wanted(topic: string): boolean {
    for (const client of this.#clients) if (client.state === 'live' && client.topics.has(topic)) return true;
    return false;
  }

  /** Told to everyone when it changes, and to those who come while it is down. */
  redisIs(state: 'up' | 'down'): void {
    if (state === this.#redis) return;
    this.#redis = state;
    const frame = encodeFrame({ type: 'connection', redis: state });
    for (const client of this.#clients) client.connection.send(frame);
  }

  /** Tells everyone how safe mode stands, where that is not what they were told; also that an unlock has run out. */
  lookAtSafety(): void {
    const safety = this.#deps.safety();
    const text = JSON.stringify(safety);
    if (text === this.#safetyTold) return;
    this.#safetyTold = text;
    const frame = encodeFrame({ type: 'session', safety });
    for (const client of this.#clients) client.connection.send(frame);
  }

  tick(): void {
    this.lookAtSafety();
    this.#book.sweep();
    for (const client of this.#clients) client.connection.tick();
  }

  closeAll(): void {
    for (const client of this.#clients) client.connection.close(CLOSE_CODES.goingAway, 'the server stops');
  }

  terminateAll(): void {
    for (const client of this.#clients) client.connection.terminate();
  }

  /** Resolves when the last client has left. */
  empty(): Promise<void> {
    if (this.#clients.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenEmpty.push(resolve);
    });
  }

  #obey(client: Client, frame: ClientFrame): void {
    if (frame.type === 'pong') return;
    const next = nextTopics(client, frame);
    if (next.topics.length > LIMITS.wsTopics) {
      client.connection.refuse(`topics: at most ${LIMITS.wsTopics} at a time`);
      return;
    }
    const goesOn = client.state === 'live' && client.topics.covers(next);
    client.chosen = true;
    client.epoch++;
    client.channel.live.delete(client.connection);
    this.#book.leave(client.channel);
    client.topics = next;
    client.channel = this.#book.enter(next);
    if (client.state === 'lagging') {
      client.answerDue = true;
    } else if (frame.type === 'subscribe' && frame.since !== undefined) {
      this.#resume(client, frame.since);
    } else {
      this.#answer(client, client.channel.position);
      if (goesOn) client.channel.live.add(client.connection);
      else this.#hold(client);
    }
  }

  #resume(client: Client, since: number): void {
    const missed = client.channel.missedSince(since, this.#log);
    if (missed === null) {
      this.#answer(client, client.channel.position);
      this.#resync(client, 'this position is not known (any more)');
    } else {
      this.#answer(client, since);
      this.#goLive(client, missed);
      this.#deps.onResume();
    }
  }

  #goLive(client: Client, missed: readonly { seq: number; body: string }[]): void {
    if (client.connection.lagging) return;
    client.state = 'live';
    client.resyncTold = false;
    client.channel.live.add(client.connection); // before sending: a client that begins to lag is taken out again
    if (missed.length > 0)
      client.connection.sendOnWire(framesOnWire(missed.map(({ seq, body }) => taskFrame(seq, body))));
  }

  #resync(client: Client, reason: string): void {
    if (!client.resyncTold) {
      client.resyncTold = true;
      client.connection.tell({ type: 'resync', reason });
    }
    if (!client.connection.lagging) this.#hold(client);
  }

  #hold(client: Client): void {
    client.channel.live.delete(client.connection);
    client.state = 'holding';
    const epoch = ++client.epoch;
    const position = client.channel.position;
    void this.#deps.takeSnapshot().then((body) => {
      if (body === null || client.epoch !== epoch) return;
      const missed = client.channel.missedSince(position, this.#log);
      if (missed === null) this.#resync(client, 'too much happened while the snapshot was read');
      else if (client.connection.send(snapshotFrame(position, body))) this.#goLive(client, missed);
    });
  }

  #drained(client: Client): void {
    client.resyncTold = false;
    client.connection.tell({ type: 'connection', redis: this.#redis }); // it may have missed a change; so the next
    client.connection.tell({ type: 'session', safety: this.#deps.safety() });
    if (client.answerDue) this.#answer(client, client.channel.position);
    this.#resync(client, 'the client reads too slowly');
  }

  #answer(client: Client, seq: number): void {
    client.answerDue = !client.connection.tell({ type: 'subscribed', topics: [...client.topics.topics], seq });
  }

  #leave(client: Client): void {
    client.epoch++;
    client.channel.live.delete(client.connection);
    this.#book.leave(client.channel);
    this.#clients.delete(client);
    if (this.#clients.size === 0) for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }
}
