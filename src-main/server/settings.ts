/** What the server is told by the configuration, and all parts that it is given. */
import type { Role } from '#queue/contract/http';
import type { ConnectionProfile } from '#queue/contract/session';
import type { TaskEngine, TaskReader, WorkerDirectory } from '#queue/engine/ports';
import type { TaskDefaults } from '#queue/engine/task-spec';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import type { OperationWatch } from './operation-watch';
import type { AuditLog, KeyStore, MetricsSource, PoolManager, RedisProbe } from './ports';
import type { RedisGauge } from './redis-gauge';
import type { Safety } from './safety';

/** A token of the configuration. */
export interface ConfiguredToken {
  name: string;
  role: Role;
  token: string;
}

export interface ServerSettings {
  /** Address to bind. */
  host: string;
  /** 0: any free port. */
  port: number;
  version: string;
  /** Whether the configured Redis is on this machine; see `requireTokenOrRefuse`. */
  redisIsLoopback: boolean;
  profile: ConnectionProfile;
  tokens: readonly ConfiguredToken[];
  /** Host names, with port where it is not ours, that are served beside the loopback names: `queue.example:443`. */
  allowedHosts: readonly string[];
  /** Origins of other pages that may call, such as a development server: `http://localhost:5173`. */
  allowedOrigins: readonly string[];
  rateLimit: RateLimitSettings;
  defaults: TaskDefaults;
  /** The built dashboard (out/renderer); null where there is none. */
  dashboardDir: string | null;
  /** swagger-ui-bundle.js and swagger-ui.css; null where they are not shipped. */
  docsAssetsDir: string | null;
  /** Each task's artifacts are in a folder with its id; null where this process cannot see them. */
  artifactsDir: string | null;
}

/** Requests in 10 seconds. */
export interface RateLimitSettings {
  /** Of one API key or token. */
  perKey: number;
  /** Of one address, where no token is needed. */
  perAddress: number;
  /** Wrong tokens from one address, in a minute. */
  failedTokens: number;
}

export const DEFAULT_RATE_LIMIT: RateLimitSettings = { perKey: 20_000, perAddress: 100_000, failedTokens: 30 };

export interface ServerDeps {
  engine: TaskEngine;
  reader: TaskReader;
  directory: WorkerDirectory;
  operations: OperationWatch;
  /** Null where this process runs no pools. */
  pools: PoolManager | null;
  metrics: MetricsSource;
  audit: AuditLog;
  keys: KeyStore;
  redis: RedisProbe;
  redisGauge: RedisGauge;
  safety: Safety;
  clock: Clock;
  log: Log;
  settings: ServerSettings;
}
