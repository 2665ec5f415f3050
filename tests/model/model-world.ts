/** A Redis of its own with a clock in the test's hands, and rows of made-up calls against it. */
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { systemClock } from '#queue/kernel/clock';
import { silentLog } from '#queue/kernel/log';
import type { Script } from '#queue/redis/script';
import { RedisStore } from '#queue/redis/store';
import { redisAt } from '../support/engine';
import { type RedisServer, startRedis } from '../support/redis-server';
import { ShiftedClock } from '../support/shifted-clock';
import { CLOCK_ROOM_MS, type Done } from './model-command';
import { QUEUE } from './model-task';
import { rows } from './queue-commands';
import { QueueModel } from './queue-model';

const NOON = Date.UTC(2026, 10, 25, 12);
const MOST_CALLS = 80;

/** What stands in for a script; the script itself where it is not touched. */
export type Mutation = <Input, Output>(script: Script<Input, Output>) => Script<Input, Output>;

export class ModelWorld {
  readonly #clock: ShiftedClock;
  readonly #server: RedisServer;
  readonly #store: RedisStore;
  readonly #beside: Redis;

  private constructor(clock: ShiftedClock, server: RedisServer, store: RedisStore) {
    this.#clock = clock;
    this.#server = server;
    this.#store = store;
    this.#beside = new Redis(server.port, server.host, { retryStrategy: () => 50 });
  }

  static async start(): Promise<ModelWorld> {
    const clock = new ShiftedClock();
    const server = await startRedis({ env: clock.env });
    const options = redisAt(server);
    const store = new RedisStore({ options, clock: systemClock, log: silentLog, name: 'model', patienceMs: 10_000 });
    if (!(await store.whenReady(5000))) throw new Error('Redis does not answer');
    return new ModelWorld(clock, server, store);
  }

  /** @returns what came about, and the shortest row of calls after which store and model differ, or null */
  async check(runs: number, seed: number, mutation: Mutation = (script) => script, shrink = true) {
    const done: Done = { calls: 0, kills: 0, clockSteps: 0, expiredLeases: 0, handed: 0, takenBack: 0 };
    const property = fc.asyncProperty(rows(MOST_CALLS), async (row) => {
      this.#clock.stand(NOON);
      await this.#store.command('begin anew', (redis) => redis.flushall());
      const model = new QueueModel(() => this.#clock.nowMs);
      const real = {
        store: this.#store,
        server: this.#server,
        clock: this.#clock,
        run: <Input, Output>(script: Script<Input, Output>, input: Input) =>
          this.#store.run(mutation(script), QUEUE, input),
        raw: <Input, Output>(script: Script<Input, Output>, input: Input) => {
          const { source, args } = mutation(script);
          return this.#beside.eval(source, 1, this.#store.keys.meta(QUEUE), ...args(input));
        },
        beside: this.#beside,
        floorMs: NOON - CLOCK_ROOM_MS,
        ceilingMs: NOON + CLOCK_ROOM_MS,
        latestMs: NOON,
        tokens: [],
        ids: [],
        lanes: new Map(),
        nonces: 0,
        awake: false,
        events: 0,
        done,
      };
      await fc.asyncModelRun(() => ({ model, real }), row);
    });
    const details = await fc.check(property, { numRuns: runs, seed, endOnFailure: !shrink });
    if (details.failed && /did not answer|BUSY/.test(String(details.errorInstance))) await this.#recover();
    return { done, fault: details.failed ? fc.defaultReportMessage(details) : null, runs: details.numRuns };
  }

  /** A faulty script may never end, and Redis runs nothing beside it. */
  async #recover(): Promise<void> {
    this.#server.kill9();
    await this.#server.restart();
    if (!(await this.#store.whenReady(5000))) throw new Error('Redis does not come back');
  }

  async stop(): Promise<void> {
    this.#store.close();
    this.#beside.disconnect();
    await this.#server.stop();
    this.#clock[Symbol.dispose]();
  }
}
