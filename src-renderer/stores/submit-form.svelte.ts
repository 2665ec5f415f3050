/**
 * A task as it is typed. The payload is one JSON text; its fields read from it and write into it, so both are always in
 * step. What is wrong is known while it is typed, by the server's own schema and by that of the task type, and what the
 * server finds wrong is shown at the same places. No I/O.
 */
import type { FieldError } from '#queue/contract/errors';
import type { Durability } from '#queue/contract/primitives';
import type { SubmitTaskInput, Task } from '#queue/contract/task';
import { lineOfPath, lossyNumber } from './json-place';
import { isObject } from './json-schema';
import { type PayloadField, payloadFields } from './payload-fields';
import { readText, textOfValue, valueAt, withValue } from './payload-text';
import { type Fault, findFaults, parsePayload } from './submit-faults';
import { moreOptions, requestOf, type Start } from './submit-request';

/** Everything but the payload, as it is typed. */
const BLANK = {
  type: '',
  queue: 'default',
  priority: '5',
  name: '',
  start: 'now' as Start,
  /** `5m`, where it starts in a while. */
  delay: '5m',
  /** `2026-11-25T14:30`, here. */
  startAt: '',
  maxRetries: '',
  timeout: '',
  backoffType: '' as '' | 'exponential' | 'fixed',
  backoffBase: '',
  backoffMax: '',
  uniqueKey: '',
  idempotencyKey: '',
  dependsOn: '',
  expiresAt: '',
  durability: '' as '' | Durability,
};
export type SubmitText = typeof BLANK;

export class SubmitForm {
  readonly text: SubmitText = $state({ ...BLANK });
  tags = $state<string[]>([]);
  payload = $state('{}');
  /** JSON Schema of the payload, of the type that is chosen; null where there is none. */
  schema = $state.raw<unknown>(null);
  /** Unix ms of the last change: what "in 5m" counts from. */
  nowMs = $state(0);
  /** Of the last refused submit; gone when anything is changed. */
  refused = $state.raw<readonly FieldError[]>([]);
  /** What is only missing is not shown before the first submit. */
  tried = $state(false);
  /** What was typed where the value alone does not tell: `1.` on the way to `1.5`. */
  #drafts = $state<Record<string, string>>({});

  readonly parsed = $derived(parsePayload(this.payload));
  readonly fields = $derived(payloadFields(this.schema));
  /** Why the fields cannot write into the payload; empty where they can. */
  readonly fieldsLocked = $derived.by(() => {
    if (this.parsed.error !== '') return 'The JSON has a fault: mend it there first.';
    if (!isObject(this.parsed.value)) return 'The payload is no JSON object: mend it there first.';
    return '';
  });
  /** What would be sent. */
  readonly request = $derived<SubmitTaskInput>(requestOf(this.text, this.tags, this.parsed.value, this.nowMs));
  readonly faults = $derived<readonly Fault[]>(findFaults(this));
  /** What is shown. */
  readonly errors = $derived<readonly Fault[]>([
    ...this.faults.filter(({ missing }) => this.tried || !missing),
    ...this.refused.map((error) => ({ ...error, missing: false })),
  ]);
  /** Something under "more options" is filled in. */
  readonly more = $derived(moreOptions(this.text));

  /** The first error of a field, also of what lies in it; empty where there is none. */
  errorOf(path: string): string {
    const found = this.errors.find((error) => error.path === path || error.path.startsWith(`${path}.`));
    if (found === undefined) return '';
    const inner = found.path.slice(path.length + 1);
    return inner === '' ? found.message : `${inner}: ${found.message}`;
  }

  /** The first error within the payload, with the line of the JSON that it is about. */
  readonly payloadError = $derived.by(() => {
    const found = this.errors.find(({ path }) => path === 'payload' || path.startsWith('payload.'));
    if (found === undefined) return null;
    const name = found.path.slice('payload.'.length);
    return {
      name,
      message: found.message,
      line: this.parsed.error === '' ? lineOfPath(this.payload, name) : this.parsed.line,
    };
  });

  textOf(field: PayloadField): string {
    const value = valueAt(this.parsed.value, field.path);
    const draft = this.#drafts[field.name];
    const same = draft !== undefined && JSON.stringify(readText(draft, field)) === JSON.stringify(value);
    return same ? draft : textOfValue(value, field);
  }

  setField(field: PayloadField, text: string): void {
    this.#drafts[field.name] = text;
    this.setValue(field, readText(text, field));
  }

  /** @param value undefined takes the field out */
  setValue(field: PayloadField, value: unknown): void {
    if (this.fieldsLocked !== '') return;
    this.payload = JSON.stringify(withValue(this.parsed.value, field.path, value), null, 2);
  }

  /** Begins as another task was submitted; its keys and times are its own. @param payloadText as it was written */
  fill(task: Task, payloadText: string): void {
    this.clear();
    Object.assign(this.text, {
      type: task.task_type,
      queue: task.queue,
      priority: String(task.priority),
      name: task.name ?? '',
      maxRetries: String(task.max_retries),
      timeout: String(task.timeout),
      backoffType: task.backoff.type,
      backoffBase: String(task.backoff.base),
      backoffMax: String(task.backoff.max),
    });
    this.tags = [...task.tags];
    this.payload = lossyNumber(payloadText) === null ? JSON.stringify(task.payload ?? {}, null, 2) : payloadText;
  }

  clear(): void {
    Object.assign(this.text, BLANK);
    this.tags = [];
    this.payload = '{}';
    this.#drafts = {};
    this.tried = false;
    this.refused = [];
  }

  /** Call on every input: the server's verdict was about other values. @param nowMs Unix ms */
  touch(nowMs: number): void {
    this.refused = [];
    this.nowMs = nowMs;
  }
}
