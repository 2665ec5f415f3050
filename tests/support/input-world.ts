/** A server that can be looked into, with one worker and a task of every kind, for the tests of what is sent to it. */
import { join } from 'node:path';
import { z } from 'zod';
import { ExactClient } from './exact-http';
import { FaultWorld } from './fault-world';
import { type MillraceProcess, TestApi } from './millrace-process';
import { ProcessProbe } from './process-probe';

/** Gives back what it was given; fails for good where it is told to. */
const ECHO = `
import { defineHandler, FatalError } from 'millrace';
export default defineHandler({
  type: 'echo',
  async run({ payload }) {
    if (payload.fail === true) throw new FatalError('told to fail');
    return payload;
  },
});
`;

export class InputWorld implements AsyncDisposable {
  readonly world: FaultWorld;
  readonly server: MillraceProcess;
  readonly probe: ProcessProbe;
  readonly base: string;
  readonly api: TestApi;
  readonly http: ExactClient;

  private constructor(world: FaultWorld, server: MillraceProcess, probe: ProcessProbe, base: string) {
    this.world = world;
    this.server = server;
    this.probe = probe;
    this.base = base;
    this.api = new TestApi(base);
    this.http = new ExactClient(base);
  }

  static async start(): Promise<InputWorld> {
    const world = await FaultWorld.start({ handlers: { 'echo.ts': ECHO } });
    const probe = new ProcessProbe(world.dir);
    const server = world.process(['--headless', '--port', '0', '--workers', '0'], { env: probe.env });
    try {
      return new InputWorld(world, server, probe, await server.address());
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  get port(): number {
    return this.http.port;
  }

  /** A task of each kind, and something that each route can name. */
  async furnish(): Promise<Record<string, readonly string[]>> {
    const { api } = this;
    this.world.worker();
    const of = (body: object) => api.submit({ task_type: 'echo', durability: 'memory', ...body });
    const done = await of({ payload: { a: 1 }, name: 'done', tags: ['t'], owner: 'me' });
    const failed = await of({ payload: { fail: true } });
    await api.until(done.id, 'completed');
    const dead = await api.until(failed.id, 'failed');
    const due = await of({ run_at: '2099-01-01T00:00:00Z', unique_key: 'u', idempotency_key: 'i' });
    const named = (body: unknown) => Named.parse(body).id;
    const made = async (path: string, body: unknown) => named(await (await api.call('POST', path, body)).json());
    const { workers } = z
      .object({ workers: z.array(Named) })
      .parse(await (await api.call('GET', '/api/workers')).json());
    return {
      queue: ['default', 'emails', 'reports'],
      confirm: ['default', 'emails', 'reports'],
      task_type: ['echo', 'gated', 'served-by-nobody'],
      fingerprint: [dead.error?.fingerprint ?? ''],
      'workers id': [...workers.map(({ id }) => id), await made('/api/pools', { name: 'none', processes: 0 })],
      'operations id': [await made('/api/operations', { action: 'cancel', ids: [due.id], rate: 0.01 })],
      'access id': [await made('/api/keys', { name: 'somebody', role: 'viewer' })],
    };
  }

  /** Some that nobody has removed yet: waiting, due, blocked, cancelled. */
  async freshTasks(): Promise<Record<string, readonly string[]>> {
    const of = (body: object) => this.api.submit({ task_type: 'served-by-nobody', durability: 'memory', ...body });
    const due = await of({ run_at: '2099-01-01T00:00:00Z' });
    const blocked = await of({ queue: 'emails', depends_on: [due.id] });
    const waiting = await of({ queue: 'reports', payload: { a: { b: 'c' } }, tags: ['t'], owner: 'me' });
    const cancelled = await of({ name: 'called off' });
    await this.api.call('POST', `/api/tasks/${cancelled.id}/cancel`);
    const ids = [due, blocked, waiting, cancelled].map(({ id }) => id);
    return { 'tasks id': ids, ids, depends_on: ids };
  }

  /** It still does what it is there for, and nothing that came has stayed in it. @throws where not */
  async stillWorks(): Promise<{ grown: string[]; violations: string[] }> {
    for (const verb of ['resume', 'limits'] as const) {
      const [method, body] = verb === 'limits' ? ['PUT', { concurrency: null, rate: null }] : ['POST', undefined];
      await this.api.call(method as string, `/api/queues/default/${verb}`, body);
    }
    this.world.worker();
    const task = await this.api.submit({
      task_type: 'echo',
      durability: 'memory',
      priority: 10,
      payload: { still: 'here' },
    });
    await this.api.until(task.id, 'completed');
    const { grown } = await this.probe.look(this.server);
    return { grown, violations: await this.world.violations() };
  }

  get logged(): string {
    return this.server.out + this.server.err;
  }

  file(name: string): string {
    return join(this.world.dir, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.http[Symbol.dispose]();
    await this.world[Symbol.asyncDispose]();
  }
}

const Named = z.object({ id: z.string() });
