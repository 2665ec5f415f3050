/**
 * What the desktop itself knows of a queue: how many tasks are in its dead-letter queue, and which failures came. It
 * listens to the API's stream, as any client does, to the counts alone; only when failures came it asks for the groups.
 */
import { WebSocket } from 'ws';
import { z } from 'zod';
import { FailureGroup } from '#queue/contract/failure';
import type { StatsOverview } from '#queue/contract/queue';
import { type ClientFrame, ServerFrame } from '#queue/contract/stream';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';

const RETRY_MS = 2_000;
const ASK_MS = 10_000;
const Groups = z.object({ groups: z.array(FailureGroup) });

export interface ServerWatchDeps {
  url: string;
  token: string | null;
  onStats: (stats: StatsOverview) => void;
  clock: Clock;
  log: Log;
}

export class ServerWatch {
  readonly #deps: ServerWatchDeps;
  readonly #stopping = new AbortController();
  #socket: WebSocket | undefined;

  constructor(deps: ServerWatchDeps) {
    this.#deps = deps;
  }

  start(): void {
    void this.#run();
  }

  stop(): void {
    this.#stopping.abort();
    this.#socket?.terminate();
  }

  /** Failures by their cause, largest group first. @throws where the API does not answer */
  async groups(): Promise<FailureGroup[]> {
    const { url, token } = this.#deps;
    const answer = await fetch(`${url}/api/dlq/groups`, {
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(ASK_MS),
    });
    if (!answer.ok) throw new Error(`the API answered ${answer.status}`);
    return Groups.parse(await answer.json()).groups;
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#deps;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#listen().catch((error: unknown) => log.debug('the stream of a window was cut off', { error }));
      await clock.sleep(RETRY_MS, signal);
    }
  }

  /** Until the connection ends. */
  #listen(): Promise<void> {
    const { url, token, onStats } = this.#deps;
    const headers = token === null ? {} : { authorization: `Bearer ${token}` };
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws`, 'millrace', { headers, perMessageDeflate: false });
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('close', () => resolve());
      socket.on('open', () => this.#say({ type: 'subscribe', topics: ['stats'] }));
      socket.on('message', (data) => {
        const frame = ServerFrame.safeParse(parseJson(String(data)));
        if (!frame.success) return;
        if (frame.data.type === 'stats' || frame.data.type === 'snapshot') onStats(frame.data.stats);
        else if (frame.data.type === 'ping') this.#say({ type: 'pong' });
      });
    });
  }

  #say(frame: ClientFrame): void {
    this.#socket?.send(JSON.stringify(frame));
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no frame
  }
}
