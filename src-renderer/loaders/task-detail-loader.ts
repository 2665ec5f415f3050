/** Reads one task with all that belongs to it into the inspector's store, again and again while it changes. */
import { isFinal } from '#queue/contract/lifecycle';
import type { ServerFrame } from '#queue/contract/stream';
import type { ApiClient } from '../net/api-client';
import { ApiError } from '../net/api-error';
import type { BrowserTime } from '../net/browser-time';
import type { PaintBeat } from '../paint-beat';
import { fieldText } from '../stores/json-outline';
import type { TaskDetailStore } from '../stores/task-detail-store.svelte';
import { FrameBatch } from './frame-batch';

/** Frames of a busy task come faster than anyone reads. */
const REFRESH_MS = 400;
/** Parents that are read; a task may have a hundred. */
const PARENTS_READ = 20;

export class TaskDetailLoader {
  readonly #api: ApiClient;
  readonly #store: TaskDetailStore;
  readonly #time: BrowserTime;
  readonly #batch: FrameBatch;
  #reading = new AbortController();
  #planned = false;

  constructor(api: ApiClient, store: TaskDetailStore, time: BrowserTime, beat: PaintBeat) {
    this.#api = api;
    this.#store = store;
    this.#time = time;
    this.#batch = new FrameBatch(beat, (frames) => {
      if (store.apply(frames)) this.refreshSoon();
    });
  }

  take(frame: ServerFrame): void {
    this.#batch.take(frame);
    if (frame.type === 'snapshot') void this.refresh();
  }

  async open(id: string | null): Promise<void> {
    if (id === this.#store.id) return;
    this.#store.open(id);
    await this.refresh();
  }

  stop(): void {
    this.#reading.abort();
    this.#store.open(null);
  }

  /** Reads again soon; many calls are one read. */
  refreshSoon(): void {
    if (this.#planned) return;
    this.#planned = true;
    this.#time.after(REFRESH_MS, () => {
      this.#planned = false;
      void this.refresh();
    });
  }

  async refresh(): Promise<void> {
    this.#reading.abort();
    const { id } = this.#store;
    if (id === null) return;
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    const call = { params: { id }, signal };
    this.#store.begin();
    try {
      const [{ value: task, text }, { history }, { logs }, { artifacts }] = await Promise.all([
        this.#api.callWithText('getTask', call),
        this.#api.call('taskHistory', call),
        this.#api.call('taskLogs', call),
        this.#api.call('listArtifacts', call),
      ]);
      const explanation = isFinal(task.status) ? null : await this.#api.call('explainTask', call);
      if (signal.aborted) return;
      const payloadText = fieldText(text, 'payload') ?? 'null';
      const resultText = task.result === null ? null : fieldText(text, 'result');
      this.#store.replace({ task, text, payloadText, resultText, history, logs, artifacts, explanation });
      await this.#readAround(signal);
    } catch (error) {
      if (!signal.aborted) this.#store.fail(error);
    }
  }

  /** What is only beside the task: without it the inspector is whole. */
  async #readAround(signal: AbortSignal): Promise<void> {
    const task = this.#store.detail?.task;
    if (task === undefined) return;
    try {
      if (task.error !== null && this.#store.alike === null) {
        const query = { status: 'failed', error: task.error.fingerprint, limit: 1 };
        const { total } = await this.#api.call('listTasks', { query, signal });
        if (!signal.aborted) this.#store.alike = total;
      }
      if (task.depends_on.length > 0) {
        const parents = await Promise.all(
          task.depends_on.slice(0, PARENTS_READ).map(async (id) => ({ id, task: await this.#parent(id, signal) })),
        );
        if (!signal.aborted) this.#store.parents = parents;
      }
    } catch (error) {
      if (!signal.aborted && !(error instanceof ApiError)) throw error;
    }
  }

  async #parent(id: string, signal: AbortSignal) {
    try {
      return await this.#api.call('getTask', { params: { id }, signal });
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    }
  }
}
