/** The one place where a worker, and its lease thread, get their engine from. */

import { z } from 'zod';
import { type ConnectedEngine, connectEngine } from '#queue/engine/connect';
import { systemClock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';

export type EngineConnection = Pick<ConnectedEngine, 'engine' | 'reader' | 'directory' | 'upkeep' | 'close'>;

const READY_MS = 10_000;
/** Checked whole where the configuration was read; what comes here is a copy of that. */
const RedisOptions = z.custom<Parameters<typeof connectEngine>[0]>(
  (value) => typeof value === 'object' && value !== null,
);

/** @throws Error where Redis does not answer within 10 s @throws {QueueError} STORE_LAYOUT */
export async function connectForWorker(redis: unknown, log: Log, name: string): Promise<EngineConnection> {
  const connected = connectEngine(RedisOptions.parse(redis), { clock: systemClock, log, name });
  try {
    if (!(await connected.whenReady(READY_MS))) throw new Error(`Redis does not answer within ${READY_MS / 1000} s`);
    await connected.store.checkLayout();
    return connected;
  } catch (error) {
    await connected.close();
    throw error;
  }
}
