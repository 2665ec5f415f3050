/** BullMQ with its defaults: everything kept, leases on; with or without priorities. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import type { RedisServer } from '../tests/support/redis-server';
import { end } from './child';
import { SUBJECTS } from './measures';
import { type Crew, inTurn, PAYLOAD, priorityOf, type Subject, until, type Work } from './subject';

const QUEUE = 'bench';
const WORKER = join(process.cwd(), 'bench/bullmq-worker.mjs');

export class BullmqSubject implements Subject {
  readonly name: string;
  readonly #server: RedisServer;
  readonly #queue: Queue;
  readonly #prioritised: boolean;

  constructor(server: RedisServer, { priorities }: { priorities: boolean }) {
    this.name = priorities ? SUBJECTS.prioritised : SUBJECTS.plain;
    this.#server = server;
    this.#prioritised = priorities;
    this.#queue = new Queue(QUEUE, { connection: { host: server.host, port: server.port } });
  }

  async enqueue(count: number, work: Work = 'noop'): Promise<void> {
    await this.#queue.pause();
    await this.#submit(count, 1000, work);
  }

  async process(count: number, { concurrency, workers }: Crew): Promise<number> {
    const crew = await Promise.all(Array.from({ length: workers }, () => this.#startWorker(concurrency)));
    await this.#queue.resume();
    const ms = await until(async () => (await this.#queue.getCompletedCount()) === count);
    await Promise.all(crew.map(end));
    return ms;
  }

  submitSingly(count: number, inFlight: number): Promise<number> {
    return inTurn(count, inFlight, (index) => this.#queue.add('noop', PAYLOAD, this.#options(index)));
  }

  submitInBulk(count: number, chunk: number): Promise<number> {
    return this.#submit(count, chunk, 'noop');
  }

  async pickup(count: number, gapMs: number): Promise<number[]> {
    const worker = await this.#startWorker(10);
    for (let index = 0; index < count; index++) {
      await this.#queue.add('stamp', { at: performance.timeOrigin + performance.now() }, this.#options(index));
      await new Promise((resolve) => setTimeout(resolve, gapMs));
    }
    await until(async () => (await this.#queue.getCompletedCount()) === count);
    const jobs = await this.#queue.getCompleted(0, count);
    await end(worker);
    return jobs.map((job) => Number(job.returnvalue));
  }

  close(): Promise<void> {
    return this.#queue.close();
  }

  #submit(count: number, chunk: number, work: Work): Promise<number> {
    return inTurn(Math.ceil(count / chunk), 1, (call) =>
      this.#queue.addBulk(
        Array.from({ length: Math.min(chunk, count - call * chunk) }, (_, index) => ({
          name: work,
          data: PAYLOAD,
          opts: { ...this.#options(call * chunk + index), ...(work === 'flaky' && { attempts: 2 }) },
        })),
      ),
    );
  }

  #options(index: number) {
    return this.#prioritised ? { priority: 11 - priorityOf(index) } : {};
  }

  async #startWorker(concurrency: number): Promise<ChildProcess> {
    const worker = fork(WORKER, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    worker.send({ kind: 'start', port: this.#server.port, concurrency });
    await once(worker, 'message');
    return worker;
  }
}
