/** Builds the engine over one Redis: the place where its parts meet. */
import type { Clock } from '../kernel/clock';
import { IdFactory, random } from '../kernel/ids';
import type { Log } from '../kernel/log';
import type { RedisOptions } from '../redis/options';
import type { Retention } from '../redis/scripts/prune';
import { RedisStore } from '../redis/store';
import type { RedisVitals } from '../redis/vitals';
import { ApiKeys } from './api-keys';
import { Audit } from './audit';
import { Engine } from './engine';
import { EventLog } from './event-log';
import { Inspector } from './inspector';
import { sampleOf } from './metric-bucket';
import { MetricStore } from './metric-store';
import { OperationCarrier } from './operation-carrier';
import { OperationStore } from './operation-store';
import { Operations } from './operations';
import type { EventFeed, TaskReader, WorkerDirectory } from './ports';
import { QueueRegistry } from './queue-registry';
import { Recorder } from './recorder';
import { SharedFeed } from './shared-feed';
import { storeIdentity } from './store-identity';
import { Upkeep } from './upkeep';
import { WorkNews } from './work-news';
import { RedisWorkerDirectory } from './worker-directory';

const DAY_MS = 86_400_000;

export const DEFAULT_RETENTION: Retention = {
  count: { completed: 1_000_000, failed: 1_000_000, cancelled: 100_000 },
  ageMs: { completed: 7 * DAY_MS, failed: 90 * DAY_MS, cancelled: 30 * DAY_MS },
  bytes: 0,
};

export interface ConnectDeps {
  clock: Clock;
  log: Log;
  /** Names the connections in CLIENT LIST: `api`, `worker-…`. */
  name: string;
  /** How long a call is repeated while Redis is away, ms; default 1200. */
  patienceMs?: number;
  retention?: Retention;
}

export interface ConnectedEngine {
  engine: Engine;
  reader: TaskReader;
  directory: WorkerDirectory;
  feed: EventFeed;
  registry: QueueRegistry;
  store: RedisStore;
  audit: Audit;
  keys: ApiKeys;
  operations: Operations;
  /** Not started: every long-lived process starts one. */
  upkeep: Upkeep;
  /** Not started: servers start them. */
  carrier: OperationCarrier;
  recorder: Recorder;
  /** Resolves when Redis answers. @throws {QueueError} REDIS_UNREACHABLE */
  ping(): Promise<void>;
  /** Why this version leaves the store alone: its layout is another one; null: it does not, or it has not seen it yet. */
  refusal(): Promise<string | null>;
  /** Names what lies in this Redis under our prefix, for as long as it does. */
  identity(): Promise<string>;
  /** One measurement. @throws where Redis does not answer */
  vitals(): Promise<RedisVitals>;
  /** Waits for Redis, at most `ms`. @returns whether it answers */
  whenReady(ms: number): Promise<boolean>;
  close(): Promise<void>;
}

/** Connects in the background; calls made before Redis answers wait for it, up to their patience. */
export function connectEngine(options: RedisOptions, deps: ConnectDeps): ConnectedEngine {
  const { clock, log, name, patienceMs = 1200, retention = DEFAULT_RETENTION } = deps;
  const store = new RedisStore({ options, clock, log, name, patienceMs });
  const registry = new QueueRegistry(store, clock);
  const news = new WorkNews({ store, registry, clock, log });
  const engine = new Engine({ store, registry, news, ids: new IdFactory(clock), clock, retention });
  const upkeep = new Upkeep({
    clock,
    log,
    queueNames: () => registry.physicalNames(),
    tick: (queue) => engine.tick(queue),
    random,
  });
  const reader = new Inspector(store, registry, clock);
  const feed = new SharedFeed(new EventLog(store, registry, clock, log));
  const operationStore = new OperationStore(store);
  const carrier = new OperationCarrier({ store: operationStore, engine, clock, log });
  const recorder = new Recorder({
    feed,
    store: new MetricStore(store),
    clock,
    log,
    look: async () =>
      new Map(
        (await reader.queueStates()).map(({ name: queue, counts, oldestPendingAt, now }) => [
          queue,
          sampleOf(counts, oldestPendingAt === null ? null : Math.max(0, now - oldestPendingAt)),
        ]),
      ),
  });
  return {
    engine,
    reader,
    directory: new RedisWorkerDirectory(store, registry, clock),
    feed,
    audit: new Audit(store),
    keys: new ApiKeys(store),
    operations: new Operations({ store: operationStore, reader, clock, changed: () => carrier.wake() }),
    carrier,
    recorder,
    ping: () => store.ping(),
    refusal: () =>
      store.checkLayout().then(
        () => null,
        () => store.refusal,
      ),
    vitals: () => store.vitals(),
    identity: () => storeIdentity(store),
    registry,
    store,
    upkeep,
    whenReady: (ms) => store.whenReady(ms),
    close: async () => {
      await Promise.all([upkeep.stop(), carrier.stop(), recorder.stop()]);
      engine.close();
      store.close();
    },
  };
}
