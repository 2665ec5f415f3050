/** What the console is measured against: many tasks that stand still, and a steady stream of tasks that a real worker runs. */
import type { Redis } from 'ioredis';
import type { TaskSpec } from '#queue/engine/ports';
import { taskSpec } from '../tests/support/engine';
import type { RedisServer } from '../tests/support/redis-server';
import { end } from './child';
import { MillraceSubject, startWorkers } from './millrace-subject';
import { inTurn, PAYLOAD } from './subject';

const BATCH = 1000;
const KINDS = 10;
const TAGS = 100;
const LIVE = 'live';
/** Submitted, started, completed. */
const EVENTS_PER_TASK = 3;
const TICK_MS = 100;
const payload = JSON.stringify(PAYLOAD);

/** Of each field that is indexed, two queries that answer different rows: one after the other, each is read anew. */
export const INDEXED: Readonly<Record<string, readonly [string, string]>> = {
  type: ['type:kind-1', 'type:kind-2'],
  status: ['state:scheduled', 'state:pending'],
  queue: ['queue:still-1', 'queue:still-2'],
  tag: ['tag:tenant-1', 'tag:tenant-2'],
};

function still(index: number, runAt: number): TaskSpec {
  const kind = index % KINDS;
  const tags = [`tenant-${Math.floor(index / KINDS) % TAGS}`];
  return taskSpec({ type: `kind-${kind}`, queue: `still-${kind}`, tags, payload, runAt: kind === 0 ? runAt : null });
}

export class ConsoleLoad {
  readonly #server: RedisServer;
  readonly #admin: Redis;
  readonly #subject: MillraceSubject;

  constructor(server: RedisServer, admin: Redis) {
    this.#server = server;
    this.#admin = admin;
    this.#subject = new MillraceSubject(server);
  }

  /** Over ten types and queues and a hundred tags; a tenth of them is scheduled. */
  async fill(count: number): Promise<void> {
    const { engine } = this.#subject.connected;
    await this.#subject.connected.whenReady(5000);
    const runAt = Date.now() + 7 * 24 * 3600 * 1000;
    await inTurn(Math.ceil(count / BATCH), 2, (call) =>
      engine.submitMany(
        Array.from({ length: Math.min(BATCH, count - call * BATCH) }, (_, index) => still(call * BATCH + index, runAt)),
      ),
    );
  }

  /** Keeps submitting for a worker of its own. @returns how to end it */
  async stream(eventsPerSecond: number): Promise<() => Promise<void>> {
    const { connected } = this.#subject;
    const crew = await startWorkers(this.#server.url, connected, LIVE, { concurrency: 20, workers: 1 });
    const start = performance.now();
    let submitted = 0;
    const timer = setInterval(() => {
      const due = Math.floor((((performance.now() - start) / 1000) * eventsPerSecond) / EVENTS_PER_TASK);
      const specs = Array.from({ length: due - submitted }, () => taskSpec({ queue: LIVE, payload }));
      submitted = due;
      void connected.engine.submitMany(specs);
    }, TICK_MS);
    return async () => {
      clearInterval(timer);
      await Promise.all(crew.map(end));
    };
  }

  /** Commands that Redis runs in a second, those inside of scripts too, while `run` lasts. */
  async commandsPerSecond(run: () => Promise<void>): Promise<number> {
    const count = async () =>
      Number(/total_commands_processed:(\d+)/.exec(await this.#admin.info('stats'))?.[1] ?? Number.NaN);
    const [before, start] = [await count(), performance.now()];
    await run();
    return ((await count()) - before) / ((performance.now() - start) / 1000);
  }

  close(): Promise<void> {
    return this.#subject.close();
  }
}
