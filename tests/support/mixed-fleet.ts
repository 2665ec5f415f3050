/**
 * Servers and workers of two builds over one Redis, and a client that uses whichever servers there are. Every answer is
 * counted by its status. Every frame of a server of today is held to the contract, and of one before what it tells of tasks:
 * the rest of it may lack what has been added since.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { ServerFrame } from '#queue/contract/stream';
import { BulkSubmitReply } from '#queue/contract/task';
import { FaultWorld } from './fault-world';
import { programBefore } from './kept-release';
import { type MillraceProcess, TestApi, waitFor } from './millrace-process';

/** Fails as often as it is told, takes its time, says how far it has come. */
const STEPS = `
import { defineHandler, z } from 'millrace';
import { setTimeout as sleep } from 'node:timers/promises';
export default defineHandler({
  type: 'steps',
  payload: z.object({ ms: z.number(), failures: z.number() }),
  async run({ payload, task, progress, log, signal }) {
    await progress(50, 'half way');
    log.info('attempt ' + task.attempt);
    await sleep(payload.ms, undefined, { signal });
    if (task.attempt <= payload.failures) throw new Error('attempt ' + task.attempt + ' fails');
    return { attempt: task.attempt };
  },
});
`;

export type Build = 'before' | 'now';

type TaskFrame = Extract<ServerFrame, { type: 'task' }>;
const AnyFrame = z.object({ type: z.string() });

/** What the stream of one server tells. */
export class Listener {
  readonly #ws: WebSocket;
  readonly types = new Set<string>();
  readonly tasks: TaskFrame[] = [];
  /** Frames that today's contract does not know. */
  readonly odd: unknown[] = [];

  constructor(base: string, build: Build) {
    this.#ws = new WebSocket(`${base.replace('http', 'ws')}/ws`);
    this.#ws.on('error', () => undefined);
    this.#ws.on('message', (data) => {
      const frame: unknown = JSON.parse(data.toString());
      const { type } = AnyFrame.parse(frame);
      this.types.add(type);
      if (build === 'before' && type !== 'task') return;
      const parsed = ServerFrame.safeParse(frame);
      if (!parsed.success) this.odd.push(frame);
      else if (parsed.data.type === 'task') this.tasks.push(parsed.data);
    });
  }

  close(): void {
    this.#ws.terminate();
  }
}

export interface MixedServer {
  build: Build;
  process: MillraceProcess;
  api: TestApi;
  stream: Listener;
}

export class MixedFleet implements AsyncDisposable {
  readonly world: FaultWorld;
  readonly servers: MixedServer[] = [];
  readonly workers: MillraceProcess[] = [];
  readonly #listeners: Listener[] = [];

  private constructor(world: FaultWorld) {
    this.world = world;
  }

  static async start(): Promise<MixedFleet> {
    return new MixedFleet(await FaultWorld.start({ handlers: { 'steps.ts': STEPS } }));
  }

  async server(build: Build): Promise<MixedServer> {
    const process = this.world.process(['--headless', '--port', '0', '--workers', '0'], programOf(build));
    const base = await process.address();
    const stream = new Listener(base, build);
    this.#listeners.push(stream);
    const server = { build, process, api: new TestApi(base), stream };
    await waitFor('the snapshot', () => (stream.types.has('snapshot') ? true : null));
    this.servers.push(server);
    return server;
  }

  /** Resolves once it works. */
  async worker(build: Build): Promise<MillraceProcess> {
    const worker = this.world.worker(5, programOf(build));
    await waitFor('the worker', () => (/"msg":"working"/.test(worker.err) ? true : null));
    this.workers.push(worker);
    return worker;
  }

  /** Frames that today's contract does not know. */
  get oddFrames(): unknown[] {
    return this.#listeners.flatMap(({ odd }) => odd);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stream of this.#listeners) stream.close();
    await this.world[Symbol.asyncDispose]();
  }

  /** A new one first, then the old one ends as a deployment ends it, or dies. */
  async replaceWorker(build: Build, how: NodeJS.Signals): Promise<void> {
    const [old] = this.workers.splice(0, 1);
    await this.worker(build);
    old?.signal(how);
    const ended = await old?.ended;
    if (how === 'SIGTERM') expect(ended?.code).toBe(0);
  }

  async replaceServer(build: Build): Promise<void> {
    await this.server(build);
    const [old] = this.servers.splice(0, 1);
    old?.process.signal('SIGTERM');
    expect((await old?.process.ended)?.code).toBe(0);
  }
}

const programOf = (build: Build) => (build === 'before' ? { program: programBefore() } : {});

const Ids = z.object({ tasks: z.array(z.object({ id: z.string() })) });

export async function listed(api: TestApi, query: string): Promise<string[]> {
  const answer = await api.call('GET', `/api/tasks?${query}`);
  expect([query, answer.status]).toEqual([query, 200]);
  return Ids.parse(await answer.json()).tasks.map(({ id }) => id);
}

/** Some of each kind that ends by itself: plain, failing for a while, for good, due later, behind another one. */
export function someOfEach(n: number) {
  const task = (failures: number, more: object = {}) => ({
    task_type: 'steps',
    payload: { ms: (n * 37) % 200, failures },
    backoff: { base: 0.1, max: 0.5 },
    tags: ['load'],
    idempotency_key: randomUUID(),
    ...more,
  });
  return [
    task(0),
    task(2),
    task(9, { max_retries: 1 }),
    task(0, { run_at: new Date(Date.now() + 1500).toISOString() }),
    task(1, { unique_key: `unique-${n}`, priority: (n % 10) + 1 }),
  ];
}

/** Submits until `signal`; each batch again with the same keys, to another server, where one has gone. @returns statuses */
export async function load(fleet: MixedFleet, signal: AbortSignal): Promise<Map<number, number>> {
  const statuses = new Map<number, number>();
  for (let n = 0; !signal.aborted; n++) {
    const tasks = someOfEach(n);
    for (let tries = 0; ; tries++) {
      const server = fleet.servers[(n + tries) % fleet.servers.length];
      const answer = await server?.api.call('POST', '/api/tasks/bulk', { tasks }).catch(() => undefined);
      if (answer === undefined) continue; // it has ended meanwhile
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      if (answer.status !== 201) break;
      const { ids } = BulkSubmitReply.parse(await answer.json());
      for (const id of ids) if (id !== null) fleet.world.accepted.add(id);
      const [first] = ids;
      if (typeof first === 'string') await follow(fleet, first, n);
      break;
    }
  }
  return statuses;
}

/** One that depends on the first of them, and one that is cancelled, by whichever server comes next. */
async function follow({ servers, world }: MixedFleet, parent: string, n: number): Promise<void> {
  const api = servers[n % servers.length]?.api;
  const other = servers[(n + 1) % servers.length]?.api;
  const steps = { task_type: 'steps', payload: { ms: 5000, failures: 0 } };
  try {
    const child = await api?.submit({ ...steps, payload: { ms: 10, failures: 0 }, depends_on: [parent] });
    if (child) world.accepted.add(child.id);
    const unwanted = await api?.submit(steps);
    if (unwanted) {
      world.accepted.add(unwanted.id);
      await other?.call('POST', `/api/tasks/${unwanted.id}/cancel`, {});
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // fetch: the server has ended meanwhile
  }
}
