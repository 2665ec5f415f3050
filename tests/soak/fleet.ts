/** What runs in a soak: two servers and some workers behind proxies, started again whenever they have ended. */
import { FaultWorld } from '../support/fault-world';
import { type MillraceProcess, TestApi } from '../support/millrace-process';
import { RedisProxy } from '../support/redis-proxy';

const WORKERS = 4;
const SLOTS = 10;

/** Does what its payload says: takes its time, fails some attempts, or takes its process along. */
const SOAK = `
import { defineHandler, z } from 'millrace';
import { setTimeout as sleep } from 'node:timers/promises';
export default defineHandler({
  type: 'soak',
  payload: z.object({ ms: z.number(), failures: z.number(), deadly: z.boolean() }),
  async run({ payload, task, progress, signal }) {
    await sleep(payload.ms, undefined, { signal });
    await progress(50);
    if (payload.deadly && task.attempt === 1) process.kill(process.pid, 'SIGKILL');
    if (task.attempt <= payload.failures) throw new Error('attempt ' + task.attempt + ' fails');
    return { attempt: task.attempt };
  },
});
`;

export class Fleet {
  readonly world: FaultWorld;
  readonly proxy: RedisProxy;
  readonly #servers: { process: MillraceProcess; base: string }[] = [];
  readonly #workers: MillraceProcess[] = [];
  #stopping = false;

  private constructor(world: FaultWorld, proxy: RedisProxy) {
    this.world = world;
    this.proxy = proxy;
  }

  static async start(): Promise<Fleet> {
    const world = await FaultWorld.start({ redis: ['--appendfsync', 'always'], handlers: { 'soak.ts': SOAK } });
    const fleet = new Fleet(world, await RedisProxy.before(world.redis));
    for (let n = 0; n < 2; n++) await fleet.#startServer(n);
    for (let n = 0; n < WORKERS; n++) fleet.#startWorker(n);
    return fleet;
  }

  get workers(): readonly MillraceProcess[] {
    return this.#workers;
  }

  get servers(): readonly { process: MillraceProcess; base: string }[] {
    return this.#servers;
  }

  /** One of the servers: the even ones talk to Redis through the proxy. */
  api(n: number): TestApi {
    return new TestApi(this.#servers[n % this.#servers.length]?.base ?? '');
  }

  async #startServer(n: number, port = '0'): Promise<void> {
    const redis = n % 2 === 0 ? { redis: this.proxy } : {};
    const process = this.world.process(['--headless', '--port', port, '--workers', '0'], redis);
    const base = await process.address();
    this.#servers[n] = { process, base };
    void process.ended.then(() => {
      if (!this.#stopping) void this.#startServer(n, new URL(base).port).catch(() => undefined);
    });
  }

  #startWorker(n: number): void {
    if (this.#stopping) return;
    const worker = this.world.worker(SLOTS, n % 2 === 0 ? { redis: this.proxy } : {});
    this.#workers[n] = worker;
    void worker.ended.then(() => this.#startWorker(n));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    await this.proxy.close();
    await this.world[Symbol.asyncDispose]();
  }
}
