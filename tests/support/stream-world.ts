/** A real HTTP server with the event stream on it, a feed that the test drives, and real WebSocket clients. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ClientOptions, WebSocket } from 'ws';
import { Safety } from '#main/server/safety';
import { StreamServer } from '#main/server/stream-server';
import type { Snapshot } from '#main/server/stream-snapshots';
import type { Operation } from '#queue/contract/operation';
import type { SafetyLevel } from '#queue/contract/session';
import { type ServerFrame, ServerFrame as ServerFrameSchema } from '#queue/contract/stream';
import type { FeedItem, TaskChange } from '#queue/engine/ports';
import { silentLog } from '#queue/kernel/log';
import { ManualClock, turn } from './manual-clock';
import { idOf, statsOf } from './wire';

type FrameOf<T extends ServerFrame['type']> = Extract<ServerFrame, { type: T }>;

export const change = (n: number, more: Partial<TaskChange> = {}): TaskChange => ({
  queue: 'default',
  at: Date.UTC(2026, 10, 22, 12),
  event: 'created',
  id: idOf(n),
  type: 'email',
  status: 'pending',
  ...more,
});

export const emptySnapshot = (): Snapshot => ({
  stats: statsOf(),
  queues: [],
  workers: [],
  tasks: [],
  operations: [],
  system: {
    redis: {
      up: true,
      latency_ms: 0.4,
      memory_bytes: 1,
      max_memory_bytes: null,
      clients: 3,
      eviction_policy: null,
      clock_offset_ms: 0,
    },
    at: '2026-11-22T12:00:00.000Z',
  },
});

/** A client that keeps every frame, each checked against the contract. */
export class StreamClient {
  readonly ws: WebSocket;
  readonly frames: ServerFrame[] = [];
  bytes = 0;
  #wake: (() => void)[] = [];
  #read = 0;

  constructor(url: string, protocols: string[] = [], options: ClientOptions = {}) {
    this.ws = new WebSocket(url, protocols, { perMessageDeflate: false, ...options });
    this.ws.on('message', (data) => {
      const text = data.toString();
      this.bytes += text.length;
      this.frames.push(ServerFrameSchema.parse(JSON.parse(text)));
      for (const wake of this.#wake.splice(0)) wake();
    });
    this.ws.on('error', () => undefined);
  }

  send(frame: unknown): void {
    this.ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** The next frame of this type; those before it are passed over. */
  async next<T extends ServerFrame['type']>(type: T): Promise<FrameOf<T>> {
    for (;;) {
      while (this.#read < this.frames.length) {
        const frame = this.frames[this.#read++];
        if (frame?.type === type) return frame as FrameOf<T>;
      }
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
      });
    }
  }

  /** Resolves when everything that the server has sent so far is here. */
  async settled(): Promise<void> {
    await turn();
    this.ws.ping();
    await once(this.ws, 'pong');
  }

  async closed(): Promise<{ code: number; reason: string }> {
    const [code, reason] = await once(this.ws, 'close');
    return { code: Number(code), reason: String(reason) };
  }

  types(): string[] {
    return this.frames.map((frame) => frame.type);
  }

  tasks(): FrameOf<'task'>[] {
    return this.frames.filter((frame): frame is FrameOf<'task'> => frame.type === 'task');
  }
}

export async function startStream(
  options: {
    snapshot?: () => Promise<Snapshot>;
    authenticate?: (headers: IncomingHttpHeaders) => unknown;
    checkRequest?: (headers: IncomingHttpHeaders) => unknown;
    safety?: SafetyLevel;
  } = {},
) {
  const clock = new ManualClock();
  const http = createServer();
  let listener: ((item: FeedItem) => void) | undefined;
  const state = emptySnapshot();
  const reads = { snapshot: 0, stats: 0, queues: 0, workers: 0, system: 0, operations: 0 };
  const safety = new Safety(options.safety ?? 'open', clock);
  /** Told at the next look, then no more. */
  const news: Operation[] = [];
  const server = new StreamServer({
    http,
    clock,
    log: silentLog,
    version: '1.2.3',
    checkRequest: options.checkRequest ?? (() => undefined),
    authenticate: options.authenticate ?? (() => undefined),
    feed: {
      follow: (take, signal) => {
        listener = take;
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      },
    },
    snapshot: () => {
      reads.snapshot++;
      return options.snapshot ? options.snapshot() : Promise.resolve(structuredClone(state));
    },
    stats: async () => {
      reads.stats++;
      return state.stats;
    },
    queues: async () => {
      reads.queues++;
      return state.queues;
    },
    workers: async () => {
      reads.workers++;
      return state.workers;
    },
    system: async () => {
      reads.system++;
      return state.system;
    },
    operations: {
      changes: async () => {
        reads.operations++;
        return news.splice(0);
      },
      forget: () => undefined,
    },
    safety,
  });
  await server.start();
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/ws`;
  const clients: StreamClient[] = [];
  return {
    clock,
    http,
    server,
    state,
    reads,
    news,
    safety,
    url,
    emit: (...changes: TaskChange[]) => listener?.({ kind: 'changes', changes }),
    gap: (queue = 'default') => listener?.({ kind: 'gap', queue, reason: 'trimmed' }),
    client(protocols?: string[], clientOptions?: ClientOptions): StreamClient {
      const client = new StreamClient(url, protocols, clientOptions);
      clients.push(client);
      return client;
    },
    /** A client that has had its first snapshot. */
    async live(): Promise<StreamClient & { seq: number }> {
      const client = this.client();
      const snapshot = await client.next('snapshot');
      return Object.assign(client, { seq: snapshot.seq });
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.ws.terminate();
      await server.stop();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
