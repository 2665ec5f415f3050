/** Who is alive: workers tell of themselves every few seconds, and hear there what they are asked to do. */
import { z } from 'zod';
import { LIMITS } from '../contract/limits';
import { EVERY_QUEUE, isoTime } from '../contract/primitives';
import { Worker } from '../contract/worker';
import type { Clock } from '../kernel/clock';
import { logicalQueue } from '../kernel/shard-name';
import { SYSTEM } from '../redis/keys';
import { beat } from '../redis/scripts/beat';
import { serve } from '../redis/scripts/serve';
import type { RedisStore } from '../redis/store';
import type { AnnouncedType, WorkerBeat, WorkerCommand, WorkerDirectory } from './ports';
import type { QueueRegistry } from './queue-registry';

/** A worker that is silent for so long is forgotten. */
export const WORKER_TTL_MS = 15_000;
const UNPARK_BATCH = 200;
/** Queues that a beat tells of its types at the same time. */
const SERVE_TOGETHER = 50;
/** Commands to a worker that never fetches them do not stay. */
const COMMAND_TTL_S = 60;

const LANES = Array.from({ length: LIMITS.workLanes }, (_, lane) => lane);

const Command = z.enum(['quiet', 'stop']);
const Announced = z.object({
  task_type: z.string(),
  description: z.string().nullable(),
  payload_schema: z.json().nullable(),
  timeout: z.number().nullable(),
});

export class RedisWorkerDirectory implements WorkerDirectory {
  readonly #store: RedisStore;
  readonly #registry: QueueRegistry;
  readonly #clock: Clock;

  constructor(store: RedisStore, registry: QueueRegistry, clock: Clock) {
    this.#store = store;
    this.#registry = registry;
    this.#clock = clock;
  }

  async beat(worker: WorkerBeat): Promise<WorkerCommand[]> {
    const full: Worker = { ...worker, last_heartbeat_at: isoTime(this.#clock.now()) };
    if (worker.serving !== undefined) full.serving = worker.serving.slice(0, LIMITS.servingShown);
    const waiting = await this.#store.run(beat, SYSTEM, {
      id: worker.id,
      worker: JSON.stringify(full),
      ttlMs: WORKER_TTL_MS,
      types: [],
    });
    if (worker.state !== 'stopping') {
      const named = worker.queues.map(({ name }) => name).filter((name) => name !== EVERY_QUEUE);
      for (const name of named) await this.#registry.register(name);
      await this.#serve(await this.#shardsOf([...named, ...(worker.serving ?? [])]), worker.task_types);
    }
    return waiting.flatMap((text) => {
      const command = Command.safeParse(text);
      return command.success ? [command.data] : [];
    });
  }

  async #serve(queues: readonly string[], types: readonly string[]): Promise<void> {
    if (types.length === 0) return;
    const input = { ttlMs: WORKER_TTL_MS, limit: UNPARK_BATCH, types };
    for (let from = 0; from < queues.length; from += SERVE_TOGETHER) {
      const together = queues.slice(from, from + SERVE_TOGETHER);
      await Promise.all(together.map((queue) => this.#store.run(serve, queue, input)));
    }
  }

  async announceTypes(types: readonly AnnouncedType[]): Promise<void> {
    if (types.length === 0) return;
    await this.#store.run(beat, SYSTEM, {
      id: '',
      worker: null,
      ttlMs: WORKER_TTL_MS,
      types: types.map((type) => [type.task_type, JSON.stringify(type)] as const),
    });
  }

  async goodbye(worker: Pick<WorkerBeat, 'id' | 'queues'>): Promise<void> {
    const { keys } = this.#store;
    await this.#store.command('goodbye', (redis) =>
      Promise.all([
        redis.del(keys.system(`worker:${worker.id}`), keys.system(`control:${worker.id}`)),
        redis.srem(keys.system('workers'), worker.id),
      ]),
    );
    const named = worker.queues.map(({ name }) => name);
    const all = named.includes(EVERY_QUEUE);
    await this.#forgetLanes([worker.id], all ? await this.#registry.physicalNames() : await this.#shardsOf(named));
  }

  async list(): Promise<Worker[]> {
    const { keys } = this.#store;
    const { workers, silent } = await this.#store.command('list workers', async (redis) => {
      const ids = (await redis.smembers(keys.system('workers'))).sort();
      if (ids.length === 0) return { workers: [], silent: [] };
      const texts = await redis.mget(ids.map((id) => keys.system(`worker:${id}`)));
      const silent = ids.filter((_, index) => texts[index] === null);
      // Once, and whether it can be done or not: a Redis that takes no writes (its disk is full, its replicas are gone) can
      // still be read. What is left is forgotten the next time.
      const forgotten =
        silent.length > 0 &&
        (await redis.srem(keys.system('workers'), ...silent).then(
          () => true,
          () => false,
        ));
      const workers = texts.flatMap((text) => {
        const worker = text === null ? null : Worker.safeParse(JSON.parse(text));
        return worker?.success ? [worker.data] : [];
      });
      return { workers, silent: forgotten ? silent : [] };
    });
    if (silent.length > 0) await this.#forgetLanes(silent, await this.#registry.physicalNames());
    return workers;
  }

  /** A worker names queues, and serves all their shards. */
  async #shardsOf(queues: readonly string[]): Promise<string[]> {
    const wanted = new Set(queues);
    const shards = (await this.#registry.physicalNames()).filter((name) => wanted.has(logicalQueue(name)));
    return [...new Set([...queues, ...shards])];
  }

  /** Queues remember the last call of each lane of a worker: see work.lua. */
  async #forgetLanes(workerIds: readonly string[], queues: readonly string[]): Promise<void> {
    const fields = workerIds.flatMap((id) => LANES.map((lane) => `lane:${id}:${lane}`));
    await this.#store.command('forget lanes', (redis) =>
      Promise.all(queues.map((queue) => redis.hdel(this.#store.keys.meta(queue), ...fields))),
    );
  }

  async command(workerId: string, command: WorkerCommand): Promise<boolean> {
    const { keys } = this.#store;
    return this.#store.command('command worker', async (redis) => {
      if ((await redis.exists(keys.system(`worker:${workerId}`))) === 0) return false;
      await redis.rpush(keys.system(`control:${workerId}`), command);
      await redis.expire(keys.system(`control:${workerId}`), COMMAND_TTL_S);
      return true;
    });
  }

  async announcedTypes(): Promise<AnnouncedType[]> {
    const all = await this.#store.command('list task types', (redis) =>
      redis.hgetall(this.#store.keys.system('types')),
    );
    return Object.values(all).flatMap((text) => {
      const type = Announced.safeParse(JSON.parse(text));
      return type.success ? [type.data] : [];
    });
  }
}
