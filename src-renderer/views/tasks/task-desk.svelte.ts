/**
 * What an operator does to one task, asked for by buttons, keys and menus alike: asks first where the connection wants
 * it, carries it out, and says what has become of it.
 */

import type { RouteName } from '#queue/contract/http-routes';
import type { Task } from '#queue/contract/task';
import { copyText } from '../../copy-text';
import { idEnds } from '../../format';
import { TaskActions } from '../../loaders/task-actions';
import { describeError } from '../../net/api-error';
import { href } from '../../router.svelte';
import { confirmationFor } from '../../safety';
import { curlOf, shellQuote } from '../../stores/copy-formats';
import type { TaskDetailStore } from '../../stores/task-detail-store.svelte';
import { refusalToCancel, refusalToDelete, refusalToEdit, refusalToRetry, retryKind } from '../../stores/task-verbs';
import type { Ui } from '../../ui';

export type Target = Pick<Task, 'id' | 'task_type' | 'status' | 'cancel_requested'>;
export type DeskVerb = 'retry' | 'promote' | 'cancel' | 'delete';
export type CopyFormat = 'id' | 'link' | 'json' | 'curl' | 'cli';

const ROUTES = {
  retry: 'retryTask',
  promote: 'patchTask',
  cancel: 'cancelTask',
  delete: 'deleteTask',
} as const satisfies Record<DeskVerb, RouteName>;

const DONE: Record<DeskVerb, string> = {
  retry: 'is pending again',
  promote: 'need not wait any longer',
  cancel: 'is cancelled, or was asked to stop',
  delete: 'is deleted',
};
const TRIED: Record<DeskVerb, string> = {
  retry: 'retried',
  promote: 'run now',
  cancel: 'cancelled',
  delete: 'deleted',
};

const COPIED: Record<CopyFormat, string> = {
  id: 'The id is copied',
  link: 'A link to the task is copied',
  json: 'The task is copied as JSON',
  curl: 'A curl command that submits it again is copied',
  cli: 'A millrace command that shows it is copied',
};

export class TaskDesk {
  /** Waits for a yes. */
  asked = $state.raw<{ verb: DeskVerb; target: Target } | null>(null);
  editing = $state(false);
  busy = $state(false);
  readonly #ui: Ui;
  readonly #store: TaskDetailStore;
  readonly #actions: TaskActions;
  readonly #onchanged: () => void;

  constructor(ui: Ui, store: TaskDetailStore, onchanged: () => void) {
    this.#ui = ui;
    this.#store = store;
    this.#actions = new TaskActions(ui.session.api);
    this.#onchanged = onchanged;
  }

  refusalTo(verb: DeskVerb | 'edit', target: Target): string | null {
    const { session } = this.#ui;
    if (verb === 'edit') return refusalToEdit(target) ?? session.refusal('patchTask');
    const own =
      verb === 'cancel'
        ? refusalToCancel(target)
        : verb === 'delete'
          ? refusalToDelete(target)
          : refusalToRetry(target);
    return own ?? session.refusal(ROUTES[verb]);
  }

  /** Retry now, or run now: whichever fits its state. */
  retry(target: Target): void {
    this.ask(retryKind(target) ?? 'retry', target);
  }

  ask(verb: DeskVerb, target: Target): void {
    const refusal = this.refusalTo(verb, target);
    if (refusal !== null) {
      this.#ui.toasts.fail(`${target.task_type} ${idEnds(target.id)} cannot be ${TRIED[verb]}: ${refusal}`);
      return;
    }
    const kind = verb === 'delete' ? 'bulk' : 'reversible';
    if (confirmationFor(this.#ui.session.safetyLevel, kind) === 'none') void this.carryOut(verb, target);
    else this.asked = { verb, target };
  }

  async carryOut(verb: DeskVerb, target: Target): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.asked = null;
    const name = `${target.task_type} ${idEnds(target.id)}`;
    try {
      if (verb === 'retry') await this.#actions.retry(target.id);
      else if (verb === 'promote') await this.#actions.runNow(target.id);
      else if (verb === 'cancel') await this.#actions.cancel(target.id);
      else await this.#actions.remove(target.id);
      this.#ui.toasts.say(`${name} ${DONE[verb]}`);
      this.#onchanged();
    } catch (error) {
      const { title, detail } = describeError(error);
      this.#ui.toasts.fail(`${name} was not ${TRIED[verb]}. ${title}: ${detail}`);
    } finally {
      this.busy = false;
    }
  }

  /** A waiting task is changed; a final one runs again with the change. @throws {ApiError} */
  async change(task: Task, change: { payload?: Record<string, never>; priority?: number }): Promise<void> {
    if (retryKind(task) === 'retry') await this.#actions.retry(task.id, change);
    else await this.#actions.change(task.id, change);
    this.#ui.toasts.say(
      `${task.task_type} ${idEnds(task.id)} is changed${retryKind(task) === 'retry' ? ' and pending again' : ''}`,
    );
    this.editing = false;
    this.#onchanged();
  }

  duplicate(id: string): void {
    this.#ui.router.go(href('submit', [], { from: id }));
  }

  async copy(format: CopyFormat, id: string): Promise<void> {
    const text = this.#textOf(format, id);
    if (text === null) return this.#ui.toasts.fail('The task is not read yet: open it first');
    await copyText(text, COPIED[format], this.#ui.toasts);
  }

  #textOf(format: CopyFormat, id: string): string | null {
    const { session, preferences } = this.#ui;
    if (format === 'id') return id;
    if (format === 'link') return new URL(href('tasks', [id]), session.baseUrl).href;
    if (format === 'cli') return `millrace task ${shellQuote(id).slice(1, -1)}`;
    const { detail } = this.#store;
    if (detail === null || detail.task.id !== id) return null;
    if (format === 'json') return detail.text; // as the server wrote it: numbers keep their digits
    return curlOf(detail.task, detail.payloadText, session.baseUrl, preferences.token !== null);
  }
}
