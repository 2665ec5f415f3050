/**
 * What the cases of faults have in common: a Redis, servers and workers as processes of the built program, and tasks of a
 * handler that waits for a gate and leaves a line for each execution. Ended with everything that it started.
 */
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { StatsOverview } from '#queue/contract/queue';
import { BulkSubmitReply, type Task } from '#queue/contract/task';
import type { ConnectedEngine } from '#queue/engine/connect';
import { whenReady } from '#queue/redis/connection';
import { decodeHistory, decodeRecord } from '#queue/redis/task-record';
import { connectToUrl } from './engine';
import { MillraceProcess, TestApi, waitFor } from './millrace-process';
import { type QueueSnapshot, readQueue, violations } from './queue-snapshot';
import { type RedisServer, startRedis } from './redis-server';

export const LEASE_MS = 10_000;

/** Waits for the file `gate`; each execution leaves a line in `log`. */
const GATED = `
import { defineHandler, z } from 'millrace';
import { appendFileSync, existsSync } from 'node:fs';
export default defineHandler({
  type: 'gated',
  payload: z.object({ gate: z.string(), log: z.string() }),
  async run({ payload, task, signal }) {
    appendFileSync(payload.log, task.id + ' ' + task.attempt + '\\n');
    while (!existsSync(payload.gate)) {
      signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return task.attempt;
  },
});
`;

export interface FaultOptions {
  /** Arguments of redis-server. */
  redis?: readonly string[];
  /** Environment of redis-server. */
  redisEnv?: Record<string, string>;
  /** Further handlers: file name → source. */
  handlers?: Record<string, string>;
  /** A Sentinel set or a Cluster in place of a Redis of its own. */
  topology?: { url: string; redis: RedisServer };
}

export class FaultWorld implements AsyncDisposable {
  readonly dir: string;
  /** Its own; in a topology of several, whichever of them is named here. */
  readonly redis: RedisServer;
  readonly #url: string;
  readonly #ownsRedis: boolean;
  /** Looks at the queue from beside, as no process of the test does. */
  readonly engine: ConnectedEngine;
  readonly #started: MillraceProcess[] = [];
  /** Ids of all tasks that an API has accepted. */
  readonly accepted = new Set<string>();

  private constructor(dir: string, redis: RedisServer, url?: string) {
    this.dir = dir;
    this.redis = redis;
    this.#url = url ?? redis.url;
    this.#ownsRedis = url === undefined;
    this.engine = this.connect(10_000);
  }

  /** One more that looks from beside, and is as patient. It is closed by whoever asked for it. */
  connect(patienceMs: number): ConnectedEngine {
    return connectToUrl(this.#url, { name: 'beside', patienceMs });
  }

  static async start(options: FaultOptions = {}): Promise<FaultWorld> {
    const { redis: args = [], redisEnv = {}, handlers = {}, topology } = options;
    const dir = mkdtempSync(join(tmpdir(), 'millrace-faults-'));
    mkdirSync(join(dir, 'handlers'));
    for (const [name, source] of Object.entries({ 'gated.ts': GATED, ...handlers }))
      writeFileSync(join(dir, 'handlers', name), source);
    if (topology !== undefined) return new FaultWorld(dir, topology.redis, topology.url);
    return new FaultWorld(dir, await startRedis({ args, env: redisEnv }));
  }

  /** @param redis where it finds its Redis; a proxy may stand there */
  process(args: readonly string[], { redis, env = {}, program, through = [] }: ProcessOptions = {}): MillraceProcess {
    const process = new MillraceProcess({
      args,
      env: {
        MILLRACE_DATA_DIR: join(this.dir, 'data'),
        REDIS_URL: redis === undefined ? this.#url : `redis://${redis.host}:${redis.port}`,
        ...env,
      },
      cwd: this.dir,
      ...(program === undefined ? {} : { program }),
      through,
    });
    this.#started.push(process);
    return process;
  }

  async server(options: ProcessOptions = {}): Promise<TestApi> {
    return new TestApi(await this.process(['--headless', '--port', '0', '--workers', '0'], options).address());
  }

  worker(concurrency = 1, options: ProcessOptions = {}): MillraceProcess {
    const handlers = join(this.dir, 'handlers');
    return this.process(['--worker', '--handlers', handlers, '--concurrency', String(concurrency)], options);
  }

  /** Of a task that waits until `open`. */
  payload(gate = 'gate') {
    return { gate: join(this.dir, gate), log: join(this.dir, 'log') };
  }

  open(gate = 'gate'): void {
    writeFileSync(join(this.dir, gate), '');
  }

  /** Ids of the executions that have begun, in order. */
  get runs(): string[] {
    const log = join(this.dir, 'log');
    if (!existsSync(log)) appendFileSync(log, '');
    return readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' ')[0] ?? '');
  }

  async submitMany(api: TestApi, count: number, gate = 'gate', queue = 'default'): Promise<void> {
    const payload = this.payload(gate);
    const tasks = Array.from({ length: count }, () => ({
      ...{ task_type: 'gated', payload, queue },
      idempotency_key: randomUUID(),
    }));
    const post = () => api.call('POST', '/api/tasks/bulk', { tasks });
    const answer = await post().catch(post); // a connection that was kept may be closed by then
    if (answer.status !== 201) throw new Error(`bulk: ${answer.status} ${await answer.text()}`);
    for (const id of BulkSubmitReply.parse(await answer.json()).ids) if (id !== null) this.accepted.add(id);
  }

  async stats(api: TestApi): Promise<StatsOverview> {
    return StatsOverview.parse(await (await api.call('GET', '/api/tasks/stats/overview')).json());
  }

  /** Resolves once so many tasks have this status. */
  until(api: TestApi, status: 'processing' | 'completed' | 'failed' | 'pending', count: number, ms?: number) {
    return waitFor(`${count} ${status}`, async () => ((await this.stats(api))[status] === count ? count : null), ms);
  }

  /** Resolves with the task once it runs for the second time: its first worker has lost it. */
  startsElsewhere(api: TestApi, id: string): Promise<Task> {
    const began = async () => {
      const task = await api.task(id);
      return task.attempts === 2 && task.status === 'processing' ? task : null;
    };
    return waitFor('the task to start elsewhere', began, LEASE_MS + 10_000);
  }

  /** A task is `processing` a moment before its worker has it: resolves once `count` executions have begun. */
  begun(count = 1): Promise<true> {
    return waitFor(`${count} handlers to begin`, () => (this.runs.length >= count ? true : null));
  }

  /** Some tasks that run, until `open`. */
  async running(api: TestApi, count: number, options: ProcessOptions = {}): Promise<MillraceProcess> {
    const worker = this.worker(count, options);
    const before = this.runs.length;
    await this.submitMany(api, count);
    await this.until(api, 'processing', count);
    await this.begun(before + count);
    return worker;
  }

  /** Resolves once the server says of itself that it has its Redis, or that it has not. */
  health(api: TestApi, status: 200 | 503, ms?: number) {
    return waitFor(
      `the API to answer ${status}`,
      async () => ((await api.call('GET', '/health')).status === status ? true : null),
      ms,
    );
  }

  /** What the rules say of everything that lies in Redis: a sentence for each that is broken. */
  async violations(): Promise<string[]> {
    const { registry } = this.engine;
    const broken: string[] = [];
    for (const queue of await registry.physicalNames()) {
      const found = await this.#read(queue);
      broken.push(...violations(found).map((what) => `${queue}: ${what}`));
    }
    return broken;
  }

  /** On a connection that waits for the answer: tens of thousands of tasks take a while. */
  async #read(queue: string): Promise<QueueSnapshot> {
    const { store } = this.engine;
    const connection = store.open('blocking', 'reader');
    try {
      await whenReady(connection, 10_000);
      return await readQueue(connection, store.keys, queue);
    } finally {
      store.release(connection);
    }
  }

  /** Counted for the table of `npm run test:faults`. */
  async #count(): Promise<void> {
    const { registry } = this.engine;
    const count = { tasks: 0, lost: 0, twice: 0, over: 0 };
    const there = new Set<string>();
    for (const queue of await registry.physicalNames()) {
      const { records, histories } = await this.#read(queue);
      for (const [id, record] of records) {
        there.add(id);
        count.tasks++;
        const segments = decodeHistory(histories.get(id) ?? '');
        const { maxAttempts } = decodeRecord(record);
        if (segments.filter(({ kind }) => kind === 'C').length > 1) count.twice++;
        if (segments.some(({ item }) => item.attempt > maxAttempts)) count.over++;
      }
    }
    count.lost = [...this.accepted].filter((id) => !there.has(id)).length;
    const file = process.env.FAULTS_TABLE;
    const { currentTestName: name, testPath } = expect.getState();
    if (file !== undefined) appendFileSync(file, `${JSON.stringify({ name, file: testPath, ...count })}\n`);
  }

  /** Kills all processes that run. */
  async end(): Promise<void> {
    for (const process of this.#started) {
      process.signal('SIGCONT');
      process.signal('SIGKILL');
      await process.ended;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#count();
    await this.engine.close();
    await this.end();
    if (this.#ownsRedis) await this.redis.stop();
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

export interface ProcessOptions {
  redis?: { host: string; port: number };
  env?: Record<string, string>;
  /** Of another build: see kept-release. */
  program?: string;
  /** A command before it, that becomes it: `ip netns exec …`. */
  through?: readonly string[];
}
