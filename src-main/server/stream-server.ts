/**
 * The WebSocket `/ws`: takes upgrades of an HTTP server, follows the event feed, and keeps time for the clients.
 * What is sent in which order is the hub's; how much may wait in a socket is the connection's.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { QueueError } from '#queue/contract/errors';
import { LIMITS } from '#queue/contract/limits';
import type { EventFeed, FeedItem, TaskChange } from '#queue/engine/ports';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import type { Service } from '#queue/kernel/service';
import type { Safety } from './safety';
import { CLOSE_MS } from './stream-connection';
import { encodeFrame, type PushedFrame } from './stream-frames';
import { type GaugeReaders, Gauges, type OperationNews } from './stream-gauges';
import { StreamHub } from './stream-hub';
import { type Snapshot, SnapshotSource } from './stream-snapshots';
import { admit, type Door, refuseUpgrade, SUBPROTOCOL } from './stream-upgrade';

export interface StreamServerDeps extends Door, GaugeReaders {
  http: Server;
  feed: EventFeed;
  operations: OperationNews;
  safety: Pick<Safety, 'state' | 'onChange'>;
  snapshot(): Promise<Snapshot>;
  clock: Clock;
  log: Log;
  /** Of the program; told in `hello`. */
  version: string;
}

const TICK_MS = 1000;
/** Sending takes one part of the time in so many at most; a sending this short asks for no rest. */
const REST_SHARE = 3;
const SHORT_SEND_MS = 2;
const REST_MAX_MS = 250;

export class StreamServer implements Service {
  readonly name = 'stream';
  readonly #deps: StreamServerDeps;
  readonly #stopping = new AbortController();
  readonly #hub: StreamHub;
  readonly #gauges: Gauges;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: LIMITS.wsMessageBytes,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  /** Changes of this event-loop turn; where there are many clients, of some turns more. */
  #pending: TaskChange[] = [];
  /** Monotonic ms. With many clients it is the writes that cost: fewer and larger ones reach the same clients with more. */
  #restUntil = 0;
  /** Upgrades that are being looked at. */
  #opening = 0;
  #loops: Promise<unknown> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(deps: StreamServerDeps) {
    this.#deps = deps;
    const { clock, log } = deps;
    const snapshots = new SnapshotSource({ read: () => deps.snapshot(), clock, log, signal: this.#stopping.signal });
    this.#hub = new StreamHub({
      clock,
      version: deps.version,
      takeSnapshot: () => snapshots.take(),
      safety: () => deps.safety.state,
      onResume: () => this.#gauges.forget(),
    });
    this.#gauges = new Gauges({
      read: deps,
      operations: deps.operations,
      clock,
      log,
      wanted: (topic) => this.#hub.wanted(topic),
      send: (topic, frame) => this.#hub.broadcast(topic, frame),
    });
  }

  get clients(): number {
    return this.#hub.clients;
  }

  /** Takes over the server's upgrades, all of them: other paths than /ws are refused. */
  async start(): Promise<void> {
    if (this.#loops || this.#stopping.signal.aborted) return;
    this.#deps.safety.onChange(() => this.#hub.lookAtSafety());
    const { http, feed, log } = this.#deps;
    const { signal } = this.#stopping;
    http.on('upgrade', this.#upgrade);
    const guard = (name: string, loop: Promise<void>) =>
      loop.catch((error: unknown) => log.error(`the event stream's ${name} ended`, { error }));
    this.#loops = Promise.all([
      guard(
        'feed',
        feed.follow((item) => this.#take(item), signal),
      ),
      guard('gauges', this.#gauges.run(signal)),
      guard('clock', this.#keepTime(signal)),
    ]);
  }

  /** Closes every client with 1001, and resolves when all of them are gone. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Tells clients when the connection to Redis is lost or back. */
  redisIs(state: 'up' | 'down'): void {
    this.#hub.redisIs(state);
    if (state === 'up') this.#gauges.touch();
  }

  /** Operations and alerts; they carry no number. */
  push(frame: PushedFrame): void {
    this.#hub.broadcast(frame.type === 'operation' ? 'operations' : 'alerts', encodeFrame(frame));
  }

  readonly #upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const ignore = () => socket.destroy();
    socket.on('error', ignore);
    this.#opening++;
    void this.#open(request)
      .then(() => {
        socket.off('error', ignore);
        this.#sockets.handleUpgrade(request, socket, head, (ws: WebSocket) => this.#hub.join(ws, socket));
      })
      .catch((error: unknown) => refuseUpgrade(socket, error, this.#deps.log))
      .finally(() => {
        this.#opening--;
      });
  };

  async #open(request: IncomingMessage): Promise<void> {
    await admit(request, this.#deps);
    if (this.#stopping.signal.aborted) throw new QueueError('REDIS_UNREACHABLE', 'the server stops');
    if (this.#hub.clients + this.#opening > LIMITS.wsClients) {
      throw new QueueError('TOO_MANY_REQUESTS', `${LIMITS.wsClients} clients are connected already`);
    }
  }

  #take(item: FeedItem): void {
    if (item.kind === 'gap') {
      this.#pending = []; // the snapshots tell it
      this.#hub.breakOff(`events of queue ${item.queue} were lost: ${item.reason}`);
    } else {
      if (this.#pending.length === 0) this.#flushSoon();
      for (const change of item.changes) this.#pending.push(change);
    }
    this.#gauges.touch();
  }

  #flushSoon(): void {
    const { clock } = this.#deps;
    const restMs = this.#restUntil - clock.monotonic();
    if (restMs <= 0) setImmediate(() => this.#flush());
    else void clock.sleep(restMs, this.#stopping.signal).then(() => this.#flush());
  }

  #flush(): void {
    const { clock } = this.#deps;
    const changes = this.#pending;
    this.#pending = [];
    const start = clock.monotonic();
    this.#hub.publish(changes);
    const end = clock.monotonic();
    this.#restUntil = end - start < SHORT_SEND_MS ? end : end + Math.min(REST_SHARE * (end - start), REST_MAX_MS);
  }

  async #keepTime(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#deps.clock.sleep(TICK_MS, signal);
      if (!signal.aborted) this.#hub.tick();
    }
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    this.#hub.closeAll();
    await this.#loops;
    const patience = new AbortController();
    void this.#deps.clock.sleep(CLOSE_MS, patience.signal).then(() => this.#hub.terminateAll());
    await this.#hub.empty();
    patience.abort();
    this.#deps.http.off('upgrade', this.#upgrade);
    this.#sockets.close();
  }
}
