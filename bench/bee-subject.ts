/** bee-queue with its defaults: succeeded jobs kept. It knows no priorities and gives its workers no tokens. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import Queue from 'bee-queue';
import type { RedisServer } from '../tests/support/redis-server';
import { end } from './child';
import { SUBJECTS } from './measures';
import { type Crew, inTurn, PAYLOAD, type Subject, until, type Work } from './subject';

const WORKER = join(process.cwd(), 'bench/bee-worker.mjs');

interface Data {
  work: Work | 'stamp';
  [more: string]: unknown;
}

export class BeeSubject implements Subject {
  readonly name = SUBJECTS.bee;
  readonly #server: RedisServer;
  readonly #queue: Queue<Data>;

  constructor(server: RedisServer) {
    this.#server = server;
    this.#queue = new Queue('bench', { redis: { host: server.host, port: server.port }, isWorker: false });
  }

  async enqueue(count: number, work: Work = 'noop'): Promise<void> {
    await this.#submit(count, 1000, work);
  }

  async process(count: number, { concurrency, workers }: Crew): Promise<number> {
    const crew = await Promise.all(Array.from({ length: workers }, () => this.#startWorker()));
    for (const worker of crew) worker.send({ kind: 'go', concurrency });
    const ms = await until(async () => (await this.#succeeded()) === count);
    await Promise.all(crew.map(end));
    return ms;
  }

  async submitSingly(count: number, inFlight: number): Promise<number> {
    await this.#queue.ready();
    return inTurn(count, inFlight, () => this.#job('noop').save());
  }

  submitInBulk(count: number, chunk: number): Promise<number> {
    return this.#submit(count, chunk, 'noop');
  }

  async pickup(count: number, gapMs: number): Promise<number[]> {
    const worker = await this.#startWorker();
    worker.send({ kind: 'go', concurrency: 10 });
    const times: number[] = [];
    worker.on('message', ({ ms }: { ms: number }) => times.push(ms));
    for (let index = 0; index < count; index++) {
      const at = performance.timeOrigin + performance.now();
      await this.#queue.createJob<Data>({ work: 'stamp', at }).save();
      await new Promise((resolve) => setTimeout(resolve, gapMs));
    }
    await until(async () => times.length === count);
    await end(worker);
    return times;
  }

  close(): Promise<void> {
    return this.#queue.close();
  }

  #job(work: Work) {
    return this.#queue.createJob<Data>({ ...PAYLOAD, work }).retries(1);
  }

  async #submit(count: number, chunk: number, work: Work): Promise<number> {
    await this.#queue.ready();
    return inTurn(Math.ceil(count / chunk), 1, (call) =>
      this.#queue.saveAll(Array.from({ length: Math.min(chunk, count - call * chunk) }, () => this.#job(work))),
    );
  }

  async #succeeded(): Promise<number> {
    return (await this.#queue.checkHealth()).succeeded;
  }

  async #startWorker(): Promise<ChildProcess> {
    const worker = fork(WORKER, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    worker.send({ kind: 'start', port: this.#server.port });
    await once(worker, 'message');
    return worker;
  }
}
