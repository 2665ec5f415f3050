/**
 * Many clients that listen to everything while so many things happen a second. One of them is a real one: it looks at the
 * numbers of the frames and at how old they are; the others, in a process of their own, count bytes.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { taskSpec } from '../tests/support/engine';
import { residentBytes } from '../tests/support/process-probe';
import type { RedisServer } from '../tests/support/redis-server';
import { end } from './child';
import { startHeadless } from './headless-server';
import { MillraceSubject } from './millrace-subject';
import { type Figures, quantile } from './report';
import { PAYLOAD } from './subject';

const CLIENTS = 1000;
const EVENTS_PER_SECOND = 1000;
const TICK_MS = 50;
const SETTLE_MS = 5000;
const name = (what: string): string => `${CLIENTS} WebSocket clients, ${EVENTS_PER_SECOND} events a second: ${what}`;
export const FAN_OUT = name('');

const Report = z.object({ bytes: z.number(), closed: z.number(), open: z.number() });
const Frame = z.object({ type: z.string(), seq: z.number().optional(), at: z.string().optional() });

export async function measureFanOut(server: RedisServer, figures: Figures, seconds: number): Promise<void> {
  const http = await startHeadless(server.url);
  const crowd = fork(join(process.cwd(), 'bench/stream-clients.mjs'), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ask = async (message: object) => {
    crowd.send(message);
    const [report] = await once(crowd, 'message');
    return Report.parse(report);
  };
  const subject = new MillraceSubject(server);
  await subject.connected.whenReady(5000);
  await ask({ kind: 'open', port: Number(new URL(http.base).port), count: CLIENTS - 1 });
  const listener = new Listener(http.base);
  const stop = submitSteadily(subject);
  await sleep(SETTLE_MS);
  const [was, cpu, memory] = [await ask({ kind: 'report' }), cpuMs(http.pid), residentMb(http.pid)];
  listener.forget();
  const start = performance.now();
  await sleep(seconds * 1000);
  const tookS = (performance.now() - start) / 1000;
  const { ages, gaps, resyncs } = listener;
  const is = await ask({ kind: 'report' });
  figures.add(name('events that each heard'), 'events/s', ages.length / tookS, { moreIsBetter: true });
  figures.add(name('sent to all'), 'MB/s', (is.bytes - was.bytes) / tookS / 1e6, { moreIsBetter: true });
  figures.add(name('holes and new beginnings'), 'count', gaps + resyncs + is.closed);
  figures.add(name('from Redis to the client, p50'), 'ms', quantile(ages, 0.5));
  figures.add(name('from Redis to the client, p99'), 'ms', quantile(ages, 0.99));
  figures.add(name('processor of the server'), 'cores', (cpuMs(http.pid) - cpu) / tookS / 1000);
  figures.add(name('resident memory of the server before'), 'MB', memory);
  figures.add(name('resident memory of the server after'), 'MB', residentMb(http.pid));
  stop();
  listener.close();
  await end(crowd);
  await subject.close();
  await http.stop();
}

/** One event a task: nobody runs them. */
function submitSteadily({ connected }: MillraceSubject): () => void {
  const payload = JSON.stringify(PAYLOAD);
  const start = performance.now();
  let submitted = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - start) / 1000) * EVENTS_PER_SECOND);
    void connected.engine.submitMany(Array.from({ length: due - submitted }, () => taskSpec({ payload })));
    submitted = due;
  }, TICK_MS);
  return () => clearInterval(timer);
}

class Listener {
  ages: number[] = [];
  gaps = 0;
  resyncs = 0;
  #seq: number | null = null;
  readonly #ws: WebSocket;

  constructor(base: string) {
    this.#ws = new WebSocket(`${base.replace('http', 'ws')}/ws`);
    this.#ws.on('message', (data) => this.#take(Frame.parse(JSON.parse(data.toString()))));
  }

  forget(): void {
    this.ages = [];
    this.gaps = 0;
    this.resyncs = 0;
  }

  close(): void {
    this.#ws.close();
  }

  #take({ type, seq, at }: z.infer<typeof Frame>): void {
    if (type === 'ping') this.#ws.send('{"type":"pong"}');
    if (type === 'resync') this.resyncs++;
    if (type === 'snapshot') this.#seq = seq ?? null;
    if (type !== 'task' || seq === undefined || at === undefined) return;
    if (this.#seq !== null && seq !== this.#seq + 1) this.gaps++;
    this.#seq = seq;
    this.ages.push(Date.now() - Date.parse(at));
  }
}

/** Linux: user and system time so far. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  const TICK = 10; // a hundredth of a second, on every Linux that Node runs on
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}

const residentMb = (pid: number): number => residentBytes(pid) / 1024 ** 2;
