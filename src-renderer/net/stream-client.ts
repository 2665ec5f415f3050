/**
 * The live connection: opens `/ws`, hands on checked frames, answers pings, and comes back after every loss.
 *
 * It goes on where it was: the number of the last frame is asked for as `since`. What it hands on is without holes:
 * a number out of order closes the connection and starts over from a snapshot. Reconnects wait a random time
 * up to a bound that doubles (full jitter), so that a restarted server is not stormed.
 */
import { ServerFrame } from '#queue/contract/stream';
import type { BrowserTime } from './browser-time';

export type StreamPhase =
  | { name: 'connecting' }
  | { name: 'live' }
  /** Connected, and a new snapshot is on its way. */
  | { name: 'resyncing' }
  /** `retryAt`: Unix ms. */
  | { name: 'waiting'; attempt: number; retryAt: number }
  | { name: 'stopped' };

export interface StreamClientDeps {
  /** `ws://…/ws` */
  url: string;
  token: () => string | null;
  time: BrowserTime;
  open: (url: string, protocols: string[]) => WebSocket;
  onFrame: (frame: ServerFrame) => void;
  onPhase: (phase: StreamPhase) => void;
  /** A connection could not be opened: it may be the token, which a browser does not tell. */
  onRefused: () => void;
}

const BASE_MS = 500;
const MAX_MS = 15_000;
/** A server that sends nothing for so many heartbeats is gone. */
const SILENT_HEARTBEATS = 3;
/** Until `hello` has told the server's. */
const FIRST_HEARTBEAT_S = 15;

export class StreamClient {
  readonly #deps: StreamClientDeps;
  #socket: WebSocket | null = null;
  #attempt = 0;
  #seq: number | null = null;
  #heartbeatMs = FIRST_HEARTBEAT_S * 1000;
  /** A resume was asked for and not answered yet: what comes meanwhile will come again. */
  #resuming = false;
  #running = false;
  #takeBackTimer: () => void = () => undefined;
  /** Unix ms, of the connection's beginning or its last frame. */
  #heardAt = 0;

  constructor(deps: StreamClientDeps) {
    this.#deps = deps;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#connect();
  }

  stop(): void {
    if (!this.#running) return;
    this.#running = false;
    this.#takeBackTimer();
    this.#drop();
    this.#deps.onPhase({ name: 'stopped' });
  }

  /** Connects now where it waits; does nothing while it is connected. */
  retryNow(): void {
    if (!this.#running || this.#socket !== null) return;
    this.#takeBackTimer();
    this.#attempt = 0;
    this.#connect();
  }

  #connect(): void {
    const { url, token, open, onPhase } = this.#deps;
    onPhase({ name: 'connecting' });
    const bearer = token();
    const socket = open(url, bearer === null ? ['millrace'] : ['millrace', `bearer.${bearer}`]);
    this.#socket = socket;
    let greeted = false;
    socket.onopen = () => {
      this.#resuming = this.#seq !== null;
      if (this.#seq !== null) socket.send(JSON.stringify({ type: 'subscribe', since: this.#seq }));
    };
    socket.onmessage = (event: MessageEvent<unknown>) => {
      if (this.#socket !== socket) return;
      this.#heardAt = this.#deps.time.now(); // no timer is set anew for each of a thousand frames a second
      const frame = parseFrame(event.data);
      if (frame === null) return;
      if (frame.type === 'hello') greeted = true;
      this.#take(frame, socket);
    };
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      if (!greeted) this.#deps.onRefused();
      this.#wait();
    };
    this.#watchSilence();
  }

  #take(frame: ServerFrame, socket: WebSocket): void {
    const { onFrame, onPhase } = this.#deps;
    switch (frame.type) {
      case 'hello':
        this.#heartbeatMs = frame.heartbeat * 1000;
        break;
      case 'ping':
        socket.send('{"type":"pong"}');
        return;
      case 'subscribed':
        this.#resuming = false;
        this.#seq = frame.seq;
        this.#attempt = 0;
        onPhase({ name: 'live' });
        break;
      case 'resync':
        this.#seq = null;
        onPhase({ name: 'resyncing' });
        break;
      case 'snapshot':
        if (this.#resuming) return;
        this.#seq = frame.seq;
        this.#attempt = 0;
        onFrame(frame); // before `live`: who hears that may read the stores
        onPhase({ name: 'live' });
        return;
      case 'task':
        if (this.#resuming) return;
        if (this.#seq === null || frame.seq !== this.#seq + 1) {
          this.#startOver();
          return;
        }
        this.#seq = frame.seq;
        break;
      default:
        break;
    }
    onFrame(frame);
  }

  #startOver(): void {
    this.#seq = null;
    this.#drop();
    this.#wait();
  }

  #wait(): void {
    if (!this.#running) return;
    const { time, onPhase } = this.#deps;
    const delayMs = Math.round(time.random() * Math.min(MAX_MS, BASE_MS * 2 ** this.#attempt));
    this.#attempt++;
    onPhase({ name: 'waiting', attempt: this.#attempt, retryAt: time.now() + delayMs });
    this.#takeBackTimer();
    this.#takeBackTimer = time.after(delayMs, () => this.#connect());
  }

  #watchSilence(): void {
    this.#heardAt = this.#deps.time.now();
    this.#lookForSilence(SILENT_HEARTBEATS * this.#heartbeatMs);
  }

  #lookForSilence(inMs: number): void {
    const { time } = this.#deps;
    this.#takeBackTimer();
    this.#takeBackTimer = time.after(inMs, () => {
      const leftMs = this.#heardAt + SILENT_HEARTBEATS * this.#heartbeatMs - time.now();
      if (leftMs > 0) return this.#lookForSilence(leftMs);
      this.#drop();
      this.#wait();
    });
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }
}

/** @returns null for a frame of a newer protocol: what is not known is passed over */
function parseFrame(data: unknown): ServerFrame | null {
  if (typeof data !== 'string') return null;
  try {
    const parsed = ServerFrame.safeParse(JSON.parse(data));
    return parsed.success ? parsed.data : null;
  } catch {
    return null; // not JSON: nothing that a Millrace sends
  }
}
