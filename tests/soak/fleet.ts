/**
 * What runs in a soak of Millrace: two servers and some workers, started again whenever they have ended. One server and
 * one worker are never killed; they, and half of the others, have the network between them and Redis.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { whenReady } from '#queue/redis/connection';
import { FaultWorld } from '../support/fault-world';
import { type MillraceProcess, TestApi, waitFor } from '../support/millrace-process';
import { RedisProxy } from '../support/redis-proxy';
import { Executions, LEAVE_A_LINE } from './executions';
import { MORTAL_WORKERS, type Patient, REDIS_ARGS, SLOTS, type Victim } from './patient';

/** Does what its payload says: takes its time, fails some attempts, or takes its process along. */
const SOAK = `
import { defineHandler, z } from 'millrace';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
${LEAVE_A_LINE}
export default defineHandler({
  type: 'soak',
  payload: z.object({ ms: z.number(), failures: z.number(), deadly: z.boolean() }),
  async run({ payload, task, progress, signal }) {
    const execution = randomUUID();
    leave('begin', task.id, task.attempt, execution);
    await sleep(payload.ms, undefined, { signal });
    await progress(50);
    if (payload.deadly && task.attempt === 1 && !process.env.SOAK_STEADY) process.kill(process.pid, 'SIGKILL');
    if (task.attempt <= payload.failures) throw new Error('an attempt fails');
    leave('end', task.id, task.attempt, execution);
    return { execution, attempt: task.attempt };
  },
});
`;

/**
 * Loaded before the program: on SIGUSR2 a process collects its garbage and writes down what is left of its heap, without
 * compiled code, of which there is more with everything that happens for the first time or often.
 */
const TELL_HEAP = `
const { getHeapCodeStatistics, setFlagsFromString } = require('node:v8');
setFlagsFromString('--no-flush-bytecode');
const { isMainThread } = require('node:worker_threads');
if (isMainThread)
  process.on('SIGUSR2', async () => {
    for (let n = 0; n < 3; n++) {
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const file = process.env.SOAK_HEAPS + '/' + process.pid;
    const { heapUsed, rss } = process.memoryUsage();
    const code = getHeapCodeStatistics();
    const heap = heapUsed - code.code_and_metadata_size - code.bytecode_and_metadata_size;
    require('node:fs').writeFileSync(file + '.new', JSON.stringify({ heap, rss }));
    require('node:fs').renameSync(file + '.new', file);
  });
`;

const Memory = z.object({ heap: z.number(), rss: z.number() });
type Memory = z.infer<typeof Memory>;

const STEADY = 0;
/** Exit code of a worker. */
const COULD_NOT_START = 3;

export class Fleet implements Patient, AsyncDisposable {
  readonly world: FaultWorld;
  readonly proxy: RedisProxy;
  readonly executions: Executions;
  readonly steadyServer: MillraceProcess;
  readonly steadyWorker: MillraceProcess;
  /** Ends of processes that nobody asked for, in words. */
  readonly crashes: string[] = [];
  /** Workers that ended because Redis was away when they began; whoever runs them starts them again. */
  startsRefused = 0;
  readonly #bases: string[] = [];
  readonly #servers: MillraceProcess[] = [];
  readonly #workers: MillraceProcess[] = [];
  #stopping = false;

  private constructor(world: FaultWorld, proxy: RedisProxy) {
    this.world = world;
    this.proxy = proxy;
    this.executions = new Executions(join(world.dir, 'executions'));
    mkdirSync(join(world.dir, 'heaps'));
    writeFileSync(join(world.dir, 'tell-heap.cjs'), TELL_HEAP);
    const { env, redis } = this.#options(STEADY);
    this.steadyServer = world.process(['--headless', '--port', '0', '--workers', '0'], { env, redis });
    this.steadyWorker = world.worker(SLOTS, { env: { ...env, SOAK_STEADY: 'yes' }, redis });
    for (const process of [this.steadyServer, this.steadyWorker])
      void process.ended.then(({ code, signal, err }) => this.#crashed(`a steady process: ${code} ${signal} ${err}`));
  }

  static async start(): Promise<Fleet> {
    const world = await FaultWorld.start({ redis: REDIS_ARGS, handlers: { 'soak.ts': SOAK } });
    const fleet = new Fleet(world, await RedisProxy.before(world.redis));
    try {
      fleet.#bases[STEADY] = await fleet.steadyServer.address();
      await fleet.#startServer(1);
      for (let n = 0; n < MORTAL_WORKERS; n++) fleet.#startWorker(n);
      return fleet;
    } catch (error) {
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
  }

  get redis() {
    return this.world.redis;
  }

  get workers(): readonly Victim[] {
    return this.#workers;
  }

  get servers(): readonly Victim[] {
    return this.#servers;
  }

  /** One server after the other; the even ones are the steady one. */
  base(n: number): string {
    return this.#bases[n % this.#bases.length] ?? '';
  }

  api(n: number): TestApi {
    return new TestApi(this.base(n));
  }

  async ask(...[name, ...args]: [string, ...string[]]): Promise<unknown> {
    const { store } = this.world.engine;
    const connection = store.open('blocking', 'soak');
    try {
      if (!(await whenReady(connection, 5000))) return null;
      return await connection.call(name, ...args);
    } finally {
      store.release(connection);
    }
  }

  /** After a collection. */
  async memoryOf({ pid }: Victim): Promise<Memory> {
    const file = join(this.world.dir, 'heaps', String(pid));
    rmSync(file, { force: true });
    process.kill(pid, 'SIGUSR2');
    return waitFor(`process ${pid} to tell its heap`, () => Memory.parse(JSON.parse(readFileSync(file, 'utf8'))));
  }

  #options(n: number) {
    const env = {
      LOG_LEVEL: 'warn',
      SOAK_LOG: join(this.world.dir, 'executions'),
      SOAK_HEAPS: join(this.world.dir, 'heaps'),
      NODE_OPTIONS: `--expose-gc --require ${join(this.world.dir, 'tell-heap.cjs')}`,
    };
    return { env, redis: n % 2 === 0 ? this.proxy : this.world.redis };
  }

  #crashed(how: string): void {
    if (!this.#stopping) this.crashes.push(how.slice(-1000));
  }

  async #startServer(n: number, port = '0'): Promise<void> {
    const process = this.world.process(['--headless', '--port', port, '--workers', '0'], this.#options(n));
    this.#servers[n - 1] = process;
    void process.ended.then(({ code, signal, err }) => {
      if (this.#stopping) return;
      if (signal !== 'SIGKILL') this.#crashed(`a server: ${code} ${signal} ${err}`);
      const again = this.#bases[n] === undefined ? '0' : new URL(this.base(n)).port;
      void this.#startServer(n, again).catch(() => undefined);
    });
    this.#bases[n] = await process.address();
  }

  #startWorker(n: number): void {
    if (this.#stopping) return;
    const worker = this.world.worker(SLOTS, this.#options(n));
    this.#workers[n] = worker;
    void worker.ended.then(({ code, signal, err }) => {
      if (code === COULD_NOT_START) this.startsRefused++;
      else if (signal !== 'SIGKILL' && code !== 0) this.#crashed(`a worker: ${code} ${signal} ${err}`);
      this.#startWorker(n);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    await this.proxy.close();
    await this.world[Symbol.asyncDispose]();
  }
}
