/**
 * A WebSocket client in a soak. It follows all tasks, loses its connection now and then, and goes on from where it was.
 * Within what the protocol promises no number may be missing; where the server says `resync`, or the client begins, there is
 * a hole in what it knows, from the last frame before to the first one after. Every end of a task is seen, or in a hole.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { isFinal } from '#queue/contract/lifecycle';
import { ServerFrame } from '#queue/contract/stream';
import { waitFor } from '../support/millrace-process';
import type { Seeded } from './seeded';

type TaskFrame = Extract<ServerFrame, { type: 'task' }>;

/** An event is stamped when it is appended, an end when its script began: Redis may have been frozen between the two. */
const STAMP_MS = 5000;

export interface End {
  id: string;
  status: string;
  /** Unix ms, by the clock of Redis. */
  at: number;
}

export class StreamFollower {
  readonly wrong: string[] = [];
  readonly counts = { connections: 0, resumed: 0, resyncs: 0, frames: 0 };
  /** `{id} {status}` → how often it was told. */
  readonly #ends = new Map<string, number>();
  readonly #holes: { from: number; to: number }[] = [];
  /** Since when something may have been missed; null while nothing can. */
  #holeFrom: number | null = 0;
  #last: { seq: number; at: number } | null = null;
  /** Null until the server has said where it goes on. */
  #expected: number | null = null;
  #mustResync = false;
  #ws: WebSocket | null = null;
  #stopping = false;
  readonly #base: string;

  constructor(base: string) {
    this.#base = base;
  }

  /** Connects again and again until `stop`. @param flap cuts its own connection every few seconds */
  async follow(flap: Seeded | null): Promise<void> {
    while (!this.#stopping) {
      await this.#connection(flap);
      await sleep(100);
    }
  }

  async #connection(flap: Seeded | null): Promise<void> {
    const ws = new WebSocket(`${this.#base.replace('http', 'ws')}/ws`);
    this.#ws = ws;
    const closed = new Promise((resolve) => ws.once('close', resolve));
    ws.on('error', () => undefined); // `close` follows
    ws.on('open', () => {
      this.counts.connections++;
      this.#expected = null;
      this.#mustResync = false;
      const since = this.#last === null ? {} : { since: this.#last.seq };
      ws.send(JSON.stringify({ type: 'subscribe', topics: ['tasks'], ...since }));
    });
    let subscribed = false;
    ws.on('message', (data) => {
      const frame = ServerFrame.parse(JSON.parse(data.toString()));
      if (frame.type === 'ping') ws.send(JSON.stringify({ type: 'pong' }));
      // What comes before is of all topics, and numbered for them.
      if (frame.type === 'subscribed') subscribed = true;
      if (subscribed) this.#take(frame);
    });
    const end = flap === null ? undefined : setTimeout(() => ws.terminate(), flap.between(1000, 6000));
    await closed;
    clearTimeout(end);
  }

  #take(frame: ServerFrame): void {
    if (frame.type === 'subscribed') this.#resume(frame.seq);
    else if (frame.type === 'resync') this.#resync();
    else if (frame.type === 'snapshot') this.#begin(frame.seq);
    else if (frame.type === 'task') this.#task(frame);
    else if (frame.type === 'error') this.wrong.push(`error: ${frame.message}`);
  }

  #resume(seq: number): void {
    if (this.#last === null) this.#expected = seq + 1;
    else if (seq === this.#last.seq) {
      this.counts.resumed++;
      this.#expected = seq + 1;
    } else this.#mustResync = true;
  }

  #resync(): void {
    this.counts.resyncs++;
    this.#mustResync = false;
    this.#holeFrom ??= this.#last?.at ?? 0;
    this.#expected = null;
  }

  #begin(seq: number): void {
    if (this.#mustResync) this.wrong.push(`position ${this.#last?.seq} was given up without a resync`);
    if (this.#holeFrom === null && this.#expected !== null && this.#expected !== seq + 1)
      this.wrong.push(`a snapshot of ${seq} where ${this.#expected} was next`);
    this.#expected = seq + 1;
    this.#mustResync = false;
  }

  #task({ seq, at, task, event }: TaskFrame): void {
    this.counts.frames++;
    if (this.#mustResync) this.wrong.push(`frame ${seq} came where a resync was due`);
    else if (seq !== this.#expected) this.wrong.push(`frame ${seq} came where ${this.#expected} was next`);
    const moment = Date.parse(at);
    if (this.#holeFrom !== null) {
      this.#holes.push({ from: this.#holeFrom, to: moment });
      this.#holeFrom = null;
    }
    this.#last = { seq, at: moment };
    this.#expected = seq + 1;
    if (!isFinal(task.status) || event === 'removed') return;
    const key = `${task.id} ${task.status}`;
    this.#ends.set(key, (this.#ends.get(key) ?? 0) + 1);
  }

  saw(id: string, status: string): boolean {
    return this.#ends.has(`${id} ${status}`);
  }

  /** The ends that were not told, though nothing said that something may be missing at their time. */
  missed(ends: readonly End[]): End[] {
    const told = new Map(this.#ends);
    const untold = ends.filter(({ id, status }) => {
      const left = told.get(`${id} ${status}`) ?? 0;
      told.set(`${id} ${status}`, left - 1);
      return left <= 0;
    });
    const inHole = ({ at }: End) => this.#holes.some(({ from, to }) => from - STAMP_MS <= at && at <= to);
    return untold.filter((end) => !inHole(end));
  }

  /** Seconds of the run that lie in holes. */
  holeSeconds(sinceMs: number): number {
    return Math.round(
      this.#holes.reduce((sum, { from, to }) => sum + Math.max(0, to - Math.max(from, sinceMs)), 0) / 1000,
    );
  }

  async live(): Promise<void> {
    await waitFor('a WebSocket client to follow', () => (this.#expected !== null && !this.#mustResync ? true : null));
  }

  stop(): void {
    this.#stopping = true;
    this.#ws?.terminate();
  }
}
