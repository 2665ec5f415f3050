/** What an operator does to one task; each call is one request. @throws {ApiError} from every one of them */
import type { PatchTask } from '#queue/contract/task';
import type { ApiClient } from '../net/api-client';

export class TaskActions {
  readonly #api: ApiClient;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  /** A final task goes back to pending, with another payload or priority where they are given. */
  async retry(id: string, change: Pick<PatchTask, 'payload' | 'priority'> = {}): Promise<void> {
    await this.#api.call('retryTask', { params: { id }, body: change });
  }

  /** A task that waits for its time need not wait any longer. */
  async runNow(id: string): Promise<void> {
    await this.#api.call('patchTask', { params: { id }, body: { run_at: null } });
  }

  async change(id: string, change: PatchTask): Promise<void> {
    await this.#api.call('patchTask', { params: { id }, body: change });
  }

  async cancel(id: string): Promise<void> {
    await this.#api.call('cancelTask', { params: { id } });
  }

  async remove(id: string): Promise<void> {
    await this.#api.call('deleteTask', { params: { id } });
  }
}
