/** What runs in a soak of BullMQ: workers as in that of Millrace, with BullMQ's defaults, started again when they have ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { RedisProxy } from '../support/redis-proxy';
import { type RedisServer, startRedis } from '../support/redis-server';
import { Executions } from './executions';
import { MORTAL_WORKERS, type Patient, REDIS_ARGS, SLOTS, temporaryFolder, type Victim } from './patient';

const WORKER = join(import.meta.dirname, 'bullmq-worker.mjs');

export class BullmqFleet implements Patient, AsyncDisposable {
  readonly redis: RedisServer;
  readonly proxy: RedisProxy;
  readonly executions: Executions;
  readonly steadyWorker: Victim;
  readonly servers: readonly Victim[] = [];
  readonly beside: Redis;
  readonly #folder = temporaryFolder('soak-bullmq');
  readonly #workers: Victim[] = [];
  readonly #children = new Set<ChildProcess>();
  #stopping = false;

  private constructor(redis: RedisServer, proxy: RedisProxy) {
    this.redis = redis;
    this.proxy = proxy;
    this.executions = new Executions(join(this.#folder.path, 'executions'));
    this.beside = new Redis({ host: redis.host, port: redis.port, maxRetriesPerRequest: null });
    this.beside.on('error', () => undefined); // it connects again by itself
    this.steadyWorker = this.#start(0, { SOAK_STEADY: 'yes' });
    for (let n = 0; n < MORTAL_WORKERS; n++) this.#startAgain(n);
  }

  static async start(): Promise<BullmqFleet> {
    const redis = await startRedis({ args: [...REDIS_ARGS] });
    return new BullmqFleet(redis, await RedisProxy.before(redis));
  }

  get workers(): readonly Victim[] {
    return this.#workers;
  }

  async ask(...[name, ...args]: [string, ...string[]]): Promise<unknown> {
    const connection = new Redis({ host: this.redis.host, port: this.redis.port, lazyConnect: true });
    connection.on('error', () => undefined);
    try {
      await connection.connect();
      return await connection.call(name, ...args);
    } finally {
      connection.disconnect();
    }
  }

  /** Half of all have the network between them and Redis. */
  place(n: number): { host: string; port: number } {
    const { host, port } = n % 2 === 0 ? this.proxy : this.redis;
    return { host, port };
  }

  #start(n: number, more: Record<string, string> = {}): Victim {
    const env = {
      PATH: process.env.PATH,
      SOAK_LOG: join(this.#folder.path, 'executions'),
      SOAK_PORT: String(this.place(n).port),
      SOAK_SLOTS: String(SLOTS),
      ...more,
    };
    const child = spawn(process.execPath, [WORKER], { env, stdio: 'ignore' });
    this.#children.add(child);
    const ended = once(child, 'exit').then(() => this.#children.delete(child));
    return { pid: child.pid ?? 0, ended, signal: (name) => void child.kill(name) };
  }

  #startAgain(n: number): void {
    if (this.#stopping) return;
    const worker = this.#start(n);
    this.#workers[n] = worker;
    void worker.ended.then(() => this.#startAgain(n));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    this.beside.disconnect();
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.all([...this.#workers, this.steadyWorker].map(({ ended }) => ended));
    await this.proxy.close();
    await this.redis.stop();
    this.#folder[Symbol.dispose]();
  }
}
