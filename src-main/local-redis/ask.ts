/** What a server of our own says of itself, and the wait until it has read its data. */

import type { Clock } from '#queue/kernel/clock';
import { ProbeError, probe } from '#queue/redis/probe';

/** Where a server of our own listens, and how to get in. */
export interface LocalAddress {
  host: string;
  port: number;
  password: string;
}

export interface ServerFacts {
  pid: number;
  runId: string;
  loading: boolean;
  /** Of the data, 0 to 100; null when not loading. */
  loadedPercent: number | null;
  uptimeSeconds: number;
}

export const HOST = '127.0.0.1';
const ASK_TIMEOUT_MS = 2_000;
const POLL_MS = 20;
const POLL_LOADING_MS = 250;

/** @throws {ProbeError} `auth` where the server is not ours */
export function askServer(address: LocalAddress): Promise<ServerFacts> {
  return probe({ ...address, timeoutMs: ASK_TIMEOUT_MS }, async (connection) => {
    const info = await connection.info();
    const loading = info.get('loading') === '1';
    return {
      pid: Number(info.get('process_id')),
      runId: info.get('run_id') ?? '',
      loading,
      loadedPercent: loading ? Number(info.get('loading_loaded_perc') ?? 0) : null,
      uptimeSeconds: Number(info.get('uptime_in_seconds') ?? 0),
    };
  });
}

export interface WaitOptions {
  clock: Clock;
  signal: AbortSignal;
  /** For the first answer, ms. Reading the data afterwards may take as long as it takes. */
  answerMs: number;
  /** False ends the wait: the process is gone. */
  alive: () => boolean;
  onLoading?: (percent: number) => void;
}

/**
 * Waits until the server answers and has read its data.
 * @returns null when the process ended, the wait was aborted, or no answer came in time
 * @throws {ProbeError} when somebody else answers there (`auth`)
 */
export async function waitUntilReady(address: LocalAddress, options: WaitOptions): Promise<ServerFacts | null> {
  const { clock, signal, answerMs, alive, onLoading } = options;
  const deadline = clock.monotonic() + answerMs;
  let answered = false;
  while (!signal.aborted && alive()) {
    try {
      const facts = await askServer(address);
      if (!facts.loading) return facts;
      answered = true;
      onLoading?.(facts.loadedPercent ?? 0);
    } catch (error) {
      // A server that loads may be too busy to answer in time.
      if (!(error instanceof ProbeError) || error.code === 'auth') throw error;
    }
    if (!answered && clock.monotonic() > deadline) return null;
    await clock.sleep(answered ? POLL_LOADING_MS : POLL_MS, signal);
  }
  return null;
}
