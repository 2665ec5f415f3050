/** Millrace: its engine as the producer, its built program as the worker. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { ConnectedEngine } from '#queue/engine/connect';
import type { TaskSpec } from '#queue/engine/ports';
import { connectTo, taskSpec } from '../tests/support/engine';
import type { RedisServer } from '../tests/support/redis-server';
import { end } from './child';
import { SUBJECTS } from './measures';
import { programArgs } from './program';
import { type Crew, inTurn, PAYLOAD, priorityOf, type Subject, until, type Work } from './subject';

const QUEUE = 'bench';
const HANDLERS = join(process.cwd(), 'bench/handlers');

/** Retried at once, as the peers do it. */
const AT_ONCE = { type: 'fixed', baseMs: 0, maxMs: 0, jitter: 0 } as const;

const spec = (index: number, payload: string, type: string = 'noop'): TaskSpec =>
  taskSpec({
    type,
    queue: QUEUE,
    priority: priorityOf(index),
    payload,
    ...(type === 'flaky' && { maxRetries: 1, backoff: AT_ONCE }),
  });

export class MillraceSubject implements Subject {
  readonly name = SUBJECTS.ours;
  readonly #server: RedisServer;
  readonly #payload = JSON.stringify(PAYLOAD);
  readonly connected: ConnectedEngine;

  constructor(server: RedisServer) {
    this.#server = server;
    this.connected = connectTo(server, { name: 'bench', patienceMs: 10_000 });
  }

  async enqueue(count: number, work: Work = 'noop'): Promise<void> {
    await this.connected.whenReady(5000);
    await this.connected.engine.pause(QUEUE);
    await this.#submit(count, 1000, work);
  }

  async process(count: number, size: Crew): Promise<number> {
    const crew = await this.startWorkers(size);
    await this.resume();
    const ms = await until(async () => (await this.completed()) === count);
    await Promise.all(crew.map(end));
    return ms;
  }

  submitSingly(count: number, inFlight: number): Promise<number> {
    return inTurn(count, inFlight, (index) => this.connected.engine.submit(spec(index, this.#payload)));
  }

  submitInBulk(count: number, chunk: number, inFlight = 1): Promise<number> {
    return this.#submit(count, chunk, 'noop', inFlight);
  }

  async pickup(count: number, gapMs: number): Promise<number[]> {
    await this.connected.whenReady(5000);
    const crew = await this.startWorkers({ concurrency: 10, workers: 1 });
    const ids: string[] = [];
    for (let index = 0; index < count; index++) {
      const payload = JSON.stringify({ at: performance.timeOrigin + performance.now() });
      const outcome = await this.connected.engine.submit(spec(index, payload, 'stamp'));
      if (outcome.ok) ids.push(outcome.id);
      await new Promise((resolve) => setTimeout(resolve, gapMs));
    }
    await until(async () => (await this.completed()) === count);
    await Promise.all(crew.map(end));
    const tasks = await this.connected.reader.getTasks(ids);
    return tasks.map((task) => Number(task?.result));
  }

  resume(): Promise<void> {
    return this.connected.engine.resume(QUEUE);
  }

  startWorkers(size: Crew): Promise<ChildProcess[]> {
    return startWorkers(this.#server.url, this.connected, QUEUE, size);
  }

  /** Tasks recorded as completed. */
  completed(): Promise<number> {
    const key = this.connected.store.keys.of(QUEUE, 'completed');
    return this.connected.store.command('count', (redis) => redis.zcard(key));
  }

  async close(): Promise<void> {
    await this.connected.close();
  }

  #submit(count: number, chunk: number, work: Work, inFlight = 1): Promise<number> {
    return submitInCalls(this.connected, count, { chunk, inFlight }, (index) => spec(index, this.#payload, work));
  }
}

/** `count` tasks, `chunk` a call. @returns ms */
export const submitInCalls = (
  { engine }: ConnectedEngine,
  count: number,
  { chunk, inFlight }: { chunk: number; inFlight: number },
  specOf: (index: number) => TaskSpec,
): Promise<number> =>
  inTurn(Math.ceil(count / chunk), inFlight, (call) =>
    engine.submitMany(
      Array.from({ length: Math.min(chunk, count - call * chunk) }, (_, n) => specOf(call * chunk + n)),
    ),
  );

/** Workers of the shipped program with the handlers of this bench; resolves once they take tasks. */
export async function startWorkers(
  redisUrl: string,
  connected: ConnectedEngine,
  queue: string,
  { concurrency, workers }: Crew,
): Promise<ChildProcess[]> {
  const options = {
    '--redis': redisUrl,
    '--queues': queue,
    '--concurrency': String(concurrency),
    '--handlers': HANDLERS,
  };
  const args = programArgs('--worker', ...Object.entries(options).flat());
  const env = { ...process.env, LOG_LEVEL: 'silent' };
  const crew = Array.from({ length: workers }, () => spawn(process.execPath, args, { stdio: 'ignore', env }));
  const running = async () => (await connected.directory.list()).filter((live) => live.state === 'running').length;
  await until(async () => (await running()) === workers, 20_000);
  return crew;
}
