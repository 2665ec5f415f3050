/**
 * A client of the API in a soak: it reads lists, tasks and counts, cancels some and requeues some that failed. What it is
 * told must fit what it was told before, whichever server said it: a final task stays as it is, and no count falls short.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isFinal } from '#queue/contract/lifecycle';
import { StatsOverview } from '#queue/contract/queue';
import { Task, TaskPage } from '#queue/contract/task';
import type { Fleet } from './fleet';
import type { Seeded } from './seeded';
import type { Submissions } from './submissions';

const ANSWER_MS = 10_000;
/** Tasks that were seen final and are looked at again, the newest. */
const REMEMBERED = 500;
const STATUSES = ['pending', 'processing', 'retrying', 'completed', 'failed', 'cancelled'] as const;

/** What all clients share: a task that one has requeued is no longer final for another. */
export class Requeues {
  readonly ids = new Set<string>();
}

export class ApiClient {
  readonly answers: Record<string, number> = {};
  readonly wrong: string[] = [];
  readonly #fleet: Fleet;
  readonly #seeded: Seeded;
  readonly #submissions: Submissions;
  readonly #requeues: Requeues;
  readonly #final = new Map<string, Task>();
  #turn = 0;

  constructor(fleet: Fleet, seeded: Seeded, submissions: Submissions, requeues: Requeues) {
    this.#fleet = fleet;
    this.#seeded = seeded;
    this.#submissions = submissions;
    this.#requeues = requeues;
  }

  async work(until: AbortSignal): Promise<void> {
    const doings = [
      () => this.#list(),
      () => this.#list(),
      () => this.#look(),
      () => this.#look(),
      () => this.#count(),
      () => this.#cancel(),
      () => this.#requeue(),
    ];
    while (!until.aborted) {
      await this.#seeded.one(doings)?.();
      await sleep(this.#seeded.between(20, 200));
    }
  }

  async #list(): Promise<void> {
    const status = this.#seeded.one(STATUSES);
    const found = await this.#call('GET', `/api/tasks?status=${status}&limit=50`);
    if (found?.status !== 200) return;
    const { tasks } = TaskPage.parse(found.body);
    if (tasks.length > 50) this.wrong.push(`a page of 50 has ${tasks.length}`);
    for (const task of tasks) this.#see(task);
  }

  async #look(): Promise<void> {
    const id = this.#seeded.one([...this.#final.keys()]);
    if (id === undefined) return;
    const found = await this.#call('GET', `/api/tasks/${id}`);
    if (found?.status === 404) this.wrong.push(`${id} is gone`);
    if (found?.status === 200) this.#see(Task.parse(found.body));
  }

  async #count(): Promise<void> {
    const before = this.#submissions.ids.size;
    const found = await this.#call('GET', '/api/tasks/stats/overview');
    if (found?.status !== 200) return;
    const { total } = StatsOverview.parse(found.body);
    if (total < before) this.wrong.push(`${total} tasks are counted where ${before} had been accepted`);
  }

  async #cancel(): Promise<void> {
    const waiting = await this.#call('GET', '/api/tasks?status=pending,retrying,processing&limit=20');
    if (waiting?.status !== 200) return;
    const task = this.#seeded.one(TaskPage.parse(waiting.body).tasks);
    if (task === undefined) return;
    const found = await this.#call('POST', `/api/tasks/${task.id}/cancel`);
    if (found?.status !== 200) return;
    const cancelled = Task.parse(found.body);
    if (cancelled.status !== 'cancelled' && !this.#requeues.ids.has(task.id))
      this.wrong.push(`${task.id} is ${cancelled.status} where a cancel was answered`);
    this.#see(cancelled);
  }

  async #requeue(): Promise<void> {
    const failed = await this.#call('GET', '/api/dlq?limit=20');
    if (failed?.status !== 200) return;
    const task = this.#seeded.one(TaskPage.parse(failed.body).tasks);
    if (task === undefined) return;
    this.#requeues.ids.add(task.id);
    await this.#call('POST', `/api/tasks/${task.id}/retry`);
  }

  #see(task: Task): void {
    const known = this.#final.get(task.id);
    if (known !== undefined && !this.#requeues.ids.has(task.id)) {
      const { status, attempts, finished_at } = known;
      if (task.status !== status || task.attempts !== attempts || task.finished_at !== finished_at)
        this.wrong.push(`${task.id} was ${status} after ${attempts}, and is ${task.status} after ${task.attempts}`);
    }
    if (!isFinal(task.status) || known !== undefined) return;
    this.#final.set(task.id, task);
    const [oldest] = this.#final.keys();
    if (this.#final.size > REMEMBERED && oldest !== undefined) this.#final.delete(oldest);
  }

  /** @returns null where nobody answered */
  async #call(method: string, path: string): Promise<{ status: number; body: unknown } | null> {
    const kind = `${method} ${path.replace(/\?.*/, '').replace(/[0-7][0-9A-HJKMNP-TV-Z]{25}/, 'ID')}`;
    let answer: { status: number; body: unknown } | null = null;
    try {
      const response = await fetch(this.#fleet.base(this.#turn++) + path, {
        method,
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      answer = { status: response.status, body: await response.json() };
    } catch {
      // The server was killed, or has been cut off meanwhile.
    }
    const said = `${kind} ${answer?.status ?? 'no answer'}`;
    this.answers[said] = (this.answers[said] ?? 0) + 1;
    if (answer !== null && answer.status >= 500 && answer.status !== 503)
      this.wrong.push(`${kind}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer;
  }
}
