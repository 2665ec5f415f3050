/** What work and calls cost with a thousand tasks in the store, and with a million: nothing may grow with what lies there. */
import type { Redis } from 'ioredis';
import type { ConnectedEngine } from '#queue/engine/connect';
import type { ReadFilter } from '#queue/engine/ports';
import { randomName } from '#queue/kernel/ids';
import { taskSpec } from '../tests/support/engine';
import type { RedisServer } from '../tests/support/redis-server';
import { end } from './child';
import { startHeadless } from './headless-server';
import { MillraceSubject, submitInCalls } from './millrace-subject';
import { accountOf } from './redis-account';
import { type Figures, median } from './report';
import { PAYLOAD, timesOf, until } from './subject';

export const SHALLOW = 1000;
export const DEEP = 1_000_000;
const DEPTHS = [SHALLOW, 100_000, DEEP];
/** Submitted and processed at each depth. */
const MOVED = 10_000;
const CREW = { concurrency: 50, workers: 1 };
const QUEUE = 'deep';
const KINDS = 10;
const TAGS = 100;
const OWNERS = 50;
const BATCH = 1000;
const CLAIM = 500;
/** Of the tasks, one in so many has failed. */
const FAILED_SHARE = 10;
const CALLS = 60;
const PAGE = 100;
const PAGE_FILTERS: Readonly<Record<string, ReadFilter>> = {
  type: { task_type: 'kind-1' },
  status: { status: ['pending'] },
  queue: { queue: QUEUE },
};

const pageName = (by: string): string => `a page of ${PAGE} rows by ${by}, ${DEEP} tasks`;
export const PAGE_AT_DEPTH = Object.keys(PAGE_FILTERS).map(pageName);
export const AT_DEPTH = {
  submit: (depth: number) => `Redis CPU per submitted task, ${depth} pending`,
  process: (depth: number) => `Redis CPU per processed task, ${depth} pending`,
  call: (route: string, depth: number) => `${route}, ${depth} tasks`,
};

/** At the greatest depth to at the least, repetition by repetition. */
export function growthOf(figures: Figures, name: (depth: number) => string): number[] {
  const least = figures.of(name(SHALLOW));
  return figures.of(name(DEEP)).map((value, repetition) => value / (least[repetition] ?? Number.NaN));
}

interface Deps {
  server: RedisServer;
  redis: Redis;
  figures: Figures;
}

/** Submits and processes tasks beside those that wait. */
export async function measureWorkAtDepth({ server, redis, figures }: Deps): Promise<void> {
  for (const depth of DEPTHS) {
    await redis.flushall();
    const subject = new MillraceSubject(server);
    await subject.enqueue(depth);
    const start = await accountOf(redis);
    await subject.submitInBulk(MOVED, BATCH);
    const submitted = await accountOf(redis);
    figures.add(AT_DEPTH.submit(depth), 'µs', ((submitted.cpuMs - start.cpuMs) * 1000) / MOVED);
    const crew = await subject.startWorkers(CREW);
    const before = await accountOf(redis);
    await subject.resume();
    let done = 0;
    await until(async () => {
      done = await subject.completed();
      return done >= MOVED;
    });
    const after = await accountOf(redis);
    figures.add(AT_DEPTH.process(depth), 'µs', ((after.cpuMs - before.cpuMs) * 1000) / done);
    await Promise.all(crew.map(end));
    await subject.close();
  }
}

/** Every kind of call that a user can make, over HTTP, one after the other; and pages as the engine makes them. */
export async function measureCallsAtDepth({ server, redis, figures }: Deps): Promise<void> {
  for (const depth of DEPTHS) {
    await redis.flushall();
    const subject = new MillraceSubject(server);
    const { connected } = subject;
    await connected.whenReady(5000);
    await connected.engine.pause(QUEUE);
    await fill(connected, depth);
    if (depth === DEEP)
      for (const [by, filter] of Object.entries(PAGE_FILTERS))
        figures.add(
          pageName(by),
          'ms',
          await medianOf(() => connected.reader.listTasks(filter, { limit: PAGE, cursor: null })),
        );
    const http = await startHeadless(server.url);
    try {
      await new Calls(http.base, depth, figures).measure();
    } finally {
      await http.stop();
      await subject.close();
    }
  }
}

async function fill(connected: ConnectedEngine, count: number): Promise<void> {
  const { engine } = connected;
  const payload = JSON.stringify(PAYLOAD);
  const spec = (index: number) =>
    taskSpec({
      type: `kind-${Math.floor(index / 10) % KINDS}`,
      queue: QUEUE,
      payload,
      priority: (index % 10) + 1,
      tags: [`tenant-${index % TAGS}`],
      owner: `owner-${index % OWNERS}`,
      name: index % 100 === 0 ? `Order ${index}` : null,
    });
  await submitInCalls(connected, count, { chunk: BATCH, inFlight: 2 }, spec);
  const types = Array.from({ length: KINDS }, (_, kind) => `kind-${kind}`);
  const call = { queue: QUEUE, workerId: 'filler', lane: '0', leaseMs: 60_000, types };
  await engine.resume(QUEUE);
  for (let left = Math.ceil(count / FAILED_SHARE); left > 0; left -= CLAIM) {
    const { claimed } = await engine.work({
      ...call,
      nonce: randomName('n'),
      want: Math.min(left, CLAIM),
      settles: [],
    });
    const settles = claimed.map(({ id, token, type }) => {
      const fingerprint = `0000000${type.at(-1)}`;
      const error = { name: 'TypeError', message: `of ${type}`, stack: null, fingerprint, progress: 0 };
      return { kind: 'dead' as const, id, token, error };
    });
    await engine.work({ ...call, nonce: randomName('n'), want: 0, settles });
  }
  await engine.pause(QUEUE);
}

const medianOf = async (call: (index: number) => Promise<unknown>): Promise<number> =>
  median(await timesOf(CALLS, call));

class Calls {
  readonly #base: string;
  readonly #depth: number;
  readonly #figures: Figures;

  constructor(base: string, depth: number, figures: Figures) {
    this.#base = base;
    this.#depth = depth;
    this.#figures = figures;
  }

  async measure(): Promise<void> {
    const created: string[] = [];
    await this.#each('POST /api/tasks', async () => {
      created.push(await this.#create());
    });
    const failed = await this.#ids(`/api/dlq?limit=${CALLS}`);
    const of = (ids: readonly string[], index: number) => ids[index % ids.length] ?? '';
    const [name] = await this.#names();
    const reads: [string, (index: number) => string][] = [
      ['', () => ''],
      ['?status=pending', () => '?status=pending'],
      ['?status=failed', () => '?status=failed'],
      ['?task_type=', (index) => `?task_type=kind-${index % KINDS}`],
      ['?queue=', () => `?queue=${QUEUE}`],
      ['?tag=', (index) => `?tag=tenant-${index % TAGS}`],
      ['?owner=', (index) => `?owner=owner-${index % OWNERS}`],
      ['?task_type=&status=failed', (index) => `?task_type=kind-${index % KINDS}&status=failed`],
      ['?q= an id', (index) => `?q=${of(created, index)}`],
      ['?q= a name', () => `?q=${encodeURIComponent(name ?? '')}`],
      ['?q= text in payloads', () => '?q=sku-00002'],
      ['/{id}', (index) => `/${of(created, index)}`],
      ['/{id}/history', (index) => `/${of(failed, index)}/history`],
      ['/{id}/explain', (index) => `/${of(created, index)}/explain`],
      ['/{id}/logs', (index) => `/${of(failed, index)}/logs`],
      ['/stats/overview', () => '/stats/overview'],
    ];
    for (const [route, path] of reads)
      await this.#each(`GET /api/tasks${route}`, (index) => this.#call('GET', `/api/tasks${path(index)}`));
    for (const path of ['/api/queues', `/api/queues/${QUEUE}`, '/api/dlq', '/api/dlq/groups', '/api/task-types'])
      await this.#each(`GET ${path}`, () => this.#call('GET', path));
    await this.#each('PATCH /api/tasks/{id} priority', (index) =>
      this.#call('PATCH', `/api/tasks/${of(created, index)}`, { priority: 9 }),
    );
    await this.#each('POST /api/tasks/{id}/cancel', (index) =>
      this.#call('POST', `/api/tasks/${of(created, index)}/cancel`),
    );
    await this.#each('POST /api/tasks/{id}/retry', (index) =>
      this.#call('POST', `/api/tasks/${of(created, index)}/retry`),
    );
    await this.#each('DELETE /api/tasks/{id}', (index) => this.#call('DELETE', `/api/tasks/${of(created, index)}`));
  }

  async #each(route: string, call: (index: number) => Promise<unknown>): Promise<void> {
    this.#figures.add(AT_DEPTH.call(route, this.#depth), 'ms', await medianOf(call));
  }

  async #create(): Promise<string> {
    const { id } = (await this.#call('POST', '/api/tasks', {
      task_type: 'kind-1',
      queue: QUEUE,
      payload: PAYLOAD,
    })) as { id: string };
    return id;
  }

  async #ids(path: string): Promise<string[]> {
    const { tasks } = (await this.#call('GET', path)) as { tasks: { id: string }[] };
    return tasks.map(({ id }) => id);
  }

  async #names(): Promise<string[]> {
    const { tasks } = (await this.#call('GET', `/api/tasks?tag=tenant-0&limit=10`)) as { tasks: { name: string }[] };
    return tasks.map((task) => task.name).filter((text) => text !== null);
  }

  /** @throws where the answer is none of success: a refusal is fast, and says nothing */
  async #call(method: string, path: string, body?: object): Promise<unknown> {
    const answer = await fetch(this.#base + path, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? null : JSON.parse(text);
  }
}
