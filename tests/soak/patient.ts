/** What faults are put into: the soak of Millrace and that of BullMQ are the same, but for what stands here. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RedisProxy } from '../support/redis-proxy';
import type { RedisServer } from '../support/redis-server';
import type { Executions } from './executions';

export interface Victim {
  readonly pid: number;
  readonly ended: Promise<unknown>;
  signal(name: NodeJS.Signals): void;
}

export interface Patient {
  readonly redis: RedisServer;
  readonly proxy: RedisProxy;
  readonly executions: Executions;
  /** May be killed; those that have ended are replaced by others. */
  readonly workers: readonly Victim[];
  /** Is frozen and cut off like the others, and never killed: its memory can be compared with itself. */
  readonly steadyWorker: Victim;
  /** May be killed; none where the system has no servers. */
  readonly servers: readonly Victim[];
  /** A command of Redis, from beside. @throws where it is not answered */
  ask(...words: [string, ...string[]]): Promise<unknown>;
}

/** Redis loses nothing that it has acknowledged, whenever it is killed. */
export const REDIS_ARGS = ['--appendfsync', 'always', '--auto-aof-rewrite-min-size', '16mb'] as const;
export const MORTAL_WORKERS = 4;
export const SLOTS = 10;

export function temporaryFolder(name: string): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), `millrace-${name}-`));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 20 }) };
}
