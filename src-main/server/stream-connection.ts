/**
 * One client's socket: nothing waits in it beyond `LIMITS.wsBufferedBytes`, a client that says nothing or talks
 * nonsense is closed, and what it says arrives as checked frames. It knows nothing of topics and numbers.
 */
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { LIMITS } from '#queue/contract/limits';
import { isoTime } from '#queue/contract/primitives';
import { CLOSE_CODES, ClientFrame, HEARTBEAT_SECONDS, type ServerFrame } from '#queue/contract/stream';
import { parseSent } from '#queue/contract/wording';
import type { Clock } from '#queue/kernel/clock';
import { encodeFrame } from './stream-frames';

const HEARTBEAT_MS = HEARTBEAT_SECONDS * 1000;
const SILENT_HEARTBEATS = 3;
const BAD_FRAMES = 3;
/** How long a client that was cut back may take to read what waits for it. */
const DRAIN_MS = 30_000;
/** From our close frame to the end of the socket. */
export const CLOSE_MS = 2000;

interface ConnectionEvents {
  frame(frame: ClientFrame): void;
  /** More waited for the client than it may: nothing is sent to it until `drained`. */
  lagging(): void;
  drained(): void;
  /** Once. */
  closed(): void;
}

export class StreamConnection {
  readonly #ws: WebSocket;
  readonly #socket: Duplex;
  readonly #clock: Clock;
  readonly #events: ConnectionEvents;
  #badFrames = 0;
  #heardMs: number;
  #pingedMs: number;
  #laggingSinceMs: number | null = null;
  #closingSinceMs: number | null = null;

  constructor(deps: { ws: WebSocket; socket: Duplex; clock: Clock; events: ConnectionEvents }) {
    this.#ws = deps.ws;
    this.#socket = deps.socket;
    this.#clock = deps.clock;
    this.#events = deps.events;
    this.#heardMs = this.#clock.monotonic();
    this.#pingedMs = this.#heardMs;
    const heard = () => {
      this.#heardMs = this.#clock.monotonic();
    };
    this.#ws.on('message', (data, isBinary) => {
      heard();
      this.#receive(data, isBinary);
    });
    this.#ws.on('ping', heard);
    this.#ws.on('pong', heard);
    // ws closes by itself after an error of the protocol or the socket, and tells so with `close`
    this.#ws.on('error', () => undefined);
    this.#ws.once('close', () => this.#events.closed());
  }

  get lagging(): boolean {
    return this.#laggingSinceMs !== null;
  }

  get open(): boolean {
    return this.#closingSinceMs === null && this.#ws.readyState === this.#ws.OPEN;
  }

  /** @returns false where it was dropped, as with `sendOnWire` */
  send(frame: Buffer): boolean {
    if (!this.#hasRoom(frame.length)) return false;
    this.#ws.send(frame, { binary: false });
    return true;
  }

  /**
   * Whole frames in one write, past ws, which would write each by itself. More than the bound still goes out when nothing
   * else waits.
   * @param bytes see `framesOnWire`
   * @returns false where it was dropped: the client lags, or has just begun to, or is gone
   */
  sendOnWire(bytes: Buffer): boolean {
    if (!this.#hasRoom(bytes.length)) return false;
    this.#socket.write(bytes);
    return true;
  }

  tell(frame: ServerFrame): boolean {
    return this.send(encodeFrame(frame));
  }

  close(code: number, reason: string): void {
    if (this.#closingSinceMs !== null) return;
    this.#closingSinceMs = this.#clock.monotonic();
    this.#ws.close(code, reason);
  }

  terminate(): void {
    this.#ws.terminate();
  }

  /** Call about once a second: pings, and ends what has waited too long. */
  tick(): void {
    const now = this.#clock.monotonic();
    if (this.#closingSinceMs !== null) {
      if (now - this.#closingSinceMs >= CLOSE_MS) this.terminate();
      return;
    }
    if (now - this.#heardMs >= SILENT_HEARTBEATS * HEARTBEAT_MS) {
      this.close(CLOSE_CODES.silent, `nothing heard for ${SILENT_HEARTBEATS} pings`);
    } else if (this.#laggingSinceMs !== null) {
      const late = now - this.#laggingSinceMs >= DRAIN_MS;
      if (!this.#checkDrained() && late) this.close(CLOSE_CODES.tooSlow, 'the client reads too slowly');
    } else if (now - this.#pingedMs >= HEARTBEAT_MS) {
      this.#pingedMs = now;
      this.tell({ type: 'ping', at: isoTime(this.#clock.now()) });
    }
  }

  /** Answers a frame that cannot be acted on; the third closes the connection. */
  refuse(message: string): void {
    this.#badFrames++;
    this.tell({ type: 'error', message });
    if (this.#badFrames >= BAD_FRAMES) this.close(CLOSE_CODES.badFrames, `${BAD_FRAMES} bad frames`);
  }

  #hasRoom(bytes: number): boolean {
    if (!this.open || this.lagging) return false;
    const waiting = this.#ws.bufferedAmount;
    if (waiting === 0 || waiting + bytes <= LIMITS.wsBufferedBytes) return true;
    this.#laggingSinceMs = this.#clock.monotonic();
    this.#socket.once('drain', () => this.#checkDrained());
    this.#events.lagging();
    return false;
  }

  #checkDrained(): boolean {
    if (!this.lagging || this.#ws.bufferedAmount > 0 || !this.open) return false;
    this.#laggingSinceMs = null;
    this.#events.drained();
    return true;
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (!this.open) return;
    const frame = readFrame(data, isBinary);
    if (typeof frame === 'string') this.refuse(frame);
    else this.#events.frame(frame);
  }
}

/** @returns what is wrong with it, where it is no frame */
function readFrame(data: RawData, isBinary: boolean): ClientFrame | string {
  if (isBinary) return 'a frame must be text, not binary';
  let value: unknown;
  try {
    value = JSON.parse(data.toString());
  } catch {
    return 'a frame must be JSON';
  }
  const parsed = parseSent(ClientFrame, value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const at = issue?.path.join('.');
  return `${at ? `${at}: ` : ''}${issue?.message ?? 'is not a frame'}`;
}
