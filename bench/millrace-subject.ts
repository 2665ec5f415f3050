/** Millrace: its engine as the producer, its built program as the worker. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ConnectedEngine } from '#queue/engine/connect';
import type { TaskSpec } from '#queue/engine/ports';
import { connectTo, taskSpec } from '../tests/support/engine';
import type { RedisServer } from '../tests/support/redis-server';
import { inTurn, PAYLOAD, priorityOf, type Subject, until } from './subject';

const QUEUE = 'bench';
const PROGRAM = join(process.cwd(), 'out/main/cli.js');
const HANDLERS = join(process.cwd(), 'bench/handlers');

const spec = (index: number, payload: string, type = 'noop'): TaskSpec =>
  taskSpec({ type, queue: QUEUE, priority: priorityOf(index), payload });

export class MillraceSubject implements Subject {
  readonly name = 'millrace';
  readonly #server: RedisServer;
  readonly #payload = JSON.stringify(PAYLOAD);
  readonly connected: ConnectedEngine;

  constructor(server: RedisServer) {
    this.#server = server;
    this.connected = connectTo(server, { name: 'bench', patienceMs: 10_000 });
  }

  async enqueue(count: number): Promise<void> {
    await this.connected.whenReady(5000);
    await this.connected.engine.pause(QUEUE);
    await this.submitInBulk(count, 1000);
  }

  async process(count: number, concurrency: number): Promise<number> {
    const worker = await this.#startWorker(concurrency);
    await this.connected.engine.resume(QUEUE);
    const key = this.connected.store.keys.of(QUEUE, 'completed');
    const ms = await until(
      async () => (await this.connected.store.command('count', (redis) => redis.zcard(key))) === count,
    );
    await stop(worker);
    return ms;
  }

  submitSingly(count: number, inFlight: number): Promise<number> {
    return inTurn(count, inFlight, (index) => this.connected.engine.submit(spec(index, this.#payload)));
  }

  submitInBulk(count: number, chunk: number): Promise<number> {
    return inTurn(Math.ceil(count / chunk), 1, (call) =>
      this.connected.engine.submitMany(
        Array.from({ length: Math.min(chunk, count - call * chunk) }, (_, index) =>
          spec(call * chunk + index, this.#payload),
        ),
      ),
    );
  }

  async pickup(count: number, gapMs: number): Promise<number[]> {
    await this.connected.whenReady(5000);
    const worker = await this.#startWorker(10);
    const ids: string[] = [];
    for (let index = 0; index < count; index++) {
      const payload = JSON.stringify({ at: performance.timeOrigin + performance.now() });
      const outcome = await this.connected.engine.submit(spec(index, payload, 'stamp'));
      if (outcome.ok) ids.push(outcome.id);
      await new Promise((resolve) => setTimeout(resolve, gapMs));
    }
    const key = this.connected.store.keys.of(QUEUE, 'completed');
    await until(async () => (await this.connected.store.command('count', (redis) => redis.zcard(key))) === count);
    await stop(worker);
    const tasks = await this.connected.reader.getTasks(ids);
    return tasks.map((task) => Number(task?.result));
  }

  async close(): Promise<void> {
    await this.connected.close();
  }

  #startWorker(concurrency: number): Promise<ChildProcess> {
    return startWorker(this.#server.url, this.connected, QUEUE, concurrency);
  }
}

/** A worker of the shipped program with the handlers of this bench; resolves once it takes tasks. */
export async function startWorker(
  redisUrl: string,
  connected: ConnectedEngine,
  queue: string,
  concurrency: number,
): Promise<ChildProcess> {
  const options = {
    '--redis': redisUrl,
    '--queues': queue,
    '--concurrency': String(concurrency),
    '--handlers': HANDLERS,
  };
  const args = [PROGRAM, '--worker', ...Object.entries(options).flat()];
  const worker = spawn(process.execPath, args, { stdio: 'ignore', env: { ...process.env, LOG_LEVEL: 'silent' } });
  await until(async () => (await connected.directory.list()).some((live) => live.state === 'running'), 20_000);
  return worker;
}

export async function stop(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}
