/** A small queue in memory behind TaskAccess: tasks with ids, idempotency keys and ends, that the test decides. */
import { isFinal, type TaskStatus } from '#queue/contract/lifecycle';
import { SubmitTask, type SubmitTaskInput } from '#queue/contract/task';
import type { Clock } from '#queue/kernel/clock';
import { IdFactory } from '#queue/kernel/ids';
import { type ChildState, FatalError, type TaskAccess } from '#worker/handler';

export interface MemoryTask extends ChildState {
  spec: SubmitTask;
  cancelReason: string | null;
}

export class MemoryTasks implements TaskAccess {
  readonly tasks = new Map<string, MemoryTask>();
  submits = 0;
  looks = 0;
  readonly #byKey = new Map<string, string>();
  readonly #ids: IdFactory;

  constructor(clock: Clock) {
    this.#ids = new IdFactory(clock);
  }

  async submit(inputs: readonly SubmitTaskInput[]): Promise<string[]> {
    this.submits++;
    return inputs.map((input, index) => {
      const parsed = SubmitTask.safeParse(input);
      if (!parsed.success)
        throw new FatalError(`task ${index} cannot be submitted: ${parsed.error.issues[0]?.message}`);
      const key = parsed.data.idempotency_key ?? '';
      const known = this.#byKey.get(key);
      if (known !== undefined) return known;
      const id = this.#ids.next(parsed.data.queue);
      if (key !== '') this.#byKey.set(key, id);
      this.tasks.set(id, { id, status: 'pending', result: null, error: null, spec: parsed.data, cancelReason: null });
      return id;
    });
  }

  async states(ids: readonly string[]): Promise<(ChildState | null)[]> {
    this.looks++;
    return ids.map((id) => {
      const task = this.tasks.get(id);
      return task === undefined ? null : { id, status: task.status, result: task.result, error: task.error };
    });
  }

  async cancel(ids: readonly string[], reason: string): Promise<void> {
    for (const id of ids) {
      const task = this.tasks.get(id);
      if (task !== undefined && !isFinal(task.status))
        Object.assign(task, { status: 'cancelled' satisfies TaskStatus, cancelReason: reason });
    }
  }

  statistics(): Promise<never> {
    return Promise.reject(new Error('this queue keeps no statistics'));
  }

  /** In the order in which they were submitted. */
  get list(): MemoryTask[] {
    return [...this.tasks.values()];
  }

  complete(task: MemoryTask | undefined, result: unknown = null): void {
    if (task === undefined) throw new Error('there is no such task');
    Object.assign(task, { status: 'completed', result });
  }

  fail(task: MemoryTask | undefined, message: string): void {
    if (task === undefined) throw new Error('there is no such task');
    Object.assign(task, { status: 'failed', error: { name: 'Error', message } });
  }
}
