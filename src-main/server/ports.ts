/**
 * What the server needs of others, as interfaces: the process that composes it hands the real ones in, tests hand in
 * fakes. Everything here answers with wire shapes, so that a route only forwards.
 */
import type { Role } from '#queue/contract/http';
import type { TaskEvent } from '#queue/contract/lifecycle';
import type { AuditEntry, DryRun, Operation } from '#queue/contract/operation';
import type { QueueTypes, StatsOverview, Timeseries } from '#queue/contract/queue';
import type { CreatePool, PatchPool, Pool } from '#queue/contract/worker';
import type { ConnectedEngine } from '#queue/engine/connect';
import type { QueueFigures, TypeFigures } from '#queue/engine/metric-windows';
import type { OperationRequest } from '#queue/engine/operations';
import type { TimeseriesQuery } from '#queue/engine/recorder';

export interface OperationRunner {
  /** What `start` would do; changes nothing. @throws {QueueError} COUNT_CHANGED */
  plan(request: OperationRequest): Promise<DryRun>;
  /** Takes the snapshot of ids and begins. @throws {QueueError} COUNT_CHANGED */
  start(request: OperationRequest): Promise<Operation>;
  /** Newest first. */
  list(): Promise<Operation[]>;
  /** Those that have not ended, newest first. */
  active(): Promise<Operation[]>;
  get(id: string): Promise<Operation | null>;
  /** @returns null for an unknown id @throws {QueueError} CONFLICT where its state does not allow it; so for the next two */
  pause(id: string): Promise<Operation | null>;
  resume(id: string): Promise<Operation | null>;
  abort(id: string): Promise<Operation | null>;
}

export interface PoolManager {
  list(): Promise<Pool[]>;
  /** @throws {QueueError} CONFLICT where the name is taken */
  create(pool: CreatePool): Promise<Pool>;
  /** @returns null for an unknown id */
  patch(id: string, change: PatchPool): Promise<Pool | null>;
  /** @returns false for an unknown id */
  remove(id: string): Promise<boolean>;
  /** One process after the other. @returns null for an unknown id @throws {QueueError} CONFLICT while it goes on */
  restart(id: string): Promise<Pool | null>;
  /** @returns its pool; null where no pool runs this worker */
  restartWorker(workerId: string): Promise<Pool | null>;
}

/** Rates of the last minute, tasks a second. */
export type QueueRates = Pick<QueueFigures, 'in' | 'out'>;

export interface MetricsSource {
  overview(): Promise<Pick<StatsOverview, 'throughput_per_second' | 'latency_ms' | 'failing_share' | 'dead_per_hour'>>;
  timeseries(query: TimeseriesQuery): Promise<Timeseries>;
  /** By queue; one that is missing has had no traffic. */
  queueFigures(): Promise<ReadonlyMap<string, QueueFigures>>;
  /** By type; one that is missing has had no traffic since `since`. */
  typeFigures(queue: string): Promise<{ since: QueueTypes['since']; types: ReadonlyMap<string, TypeFigures> }>;
  /** Events seen by this process since it started; never goes down. */
  eventTotals(): ReadonlyMap<TaskEvent, number>;
}

export interface AuditLog {
  append(entry: { by: string; action: string; target: string; detail: string | null }): Promise<void>;
  /** Newest first. @throws {QueueError} INVALID for a cursor that it did not make */
  list(page: { limit: number; cursor: string | null }): Promise<{ entries: AuditEntry[]; nextCursor: string | null }>;
}

/** An API key as stored: the hash only. */
export interface StoredKey {
  id: string;
  name: string;
  role: Role;
  /** Unix ms. */
  createdAt: number;
  /** SHA-256 of the key, hex. */
  sha256: string;
}

export interface KeyStore {
  list(): Promise<StoredKey[]>;
  add(key: StoredKey): Promise<void>;
  /** @returns false for an unknown id */
  remove(id: string): Promise<boolean>;
}

export interface RedisProbe {
  /** Resolves when Redis answers, within about a second; rejects when it does not. */
  ping(): Promise<void>;
  /** Why this version leaves the store alone: its layout is another one; null: it does not, or it has not seen it yet. */
  refusal(): Promise<string | null>;
  /** One measurement. @throws where Redis does not answer */
  vitals: ConnectedEngine['vitals'];
}
