/**
 * A task as it is typed: what is wrong with it is known while it is typed, by the server's own schema, and what the
 * server finds wrong is shown at the same places. No I/O.
 */
import type { FieldError } from '#queue/contract/errors';
import { findPayloadFault } from '#queue/contract/payload';
import { SubmitTask, type SubmitTaskInput, type Task } from '#queue/contract/task';

interface ParsedPayload {
  value: unknown;
  /** Empty where the text is JSON. */
  error: string;
  /** From 1; null where it is not known. */
  line: number | null;
}

export class SubmitForm {
  type = $state('');
  queue = $state('default');
  priority = $state('5');
  name = $state('');
  maxRetries = $state('');
  timeout = $state('');
  payload = $state('{}');
  /** Of the last refused submit; gone when anything is changed. */
  refused = $state.raw<readonly FieldError[]>([]);
  /** Errors of fields that nobody has touched are not shown before the first submit. */
  tried = $state(false);

  readonly parsed = $derived(parsePayload(this.payload));
  /** What would be sent. */
  readonly request = $derived<SubmitTaskInput>({
    task_type: this.type.trim(),
    queue: this.queue.trim(),
    priority: toNumber(this.priority),
    ...(this.name.trim() === '' ? {} : { name: this.name.trim() }),
    ...(this.maxRetries === '' ? {} : { max_retries: toNumber(this.maxRetries) }),
    ...(this.timeout === '' ? {} : { timeout: toNumber(this.timeout) }),
    payload: isObject(this.parsed.value) ? this.parsed.value : {},
  });
  readonly faults = $derived(findFaults(this.parsed, this.request));
  readonly errors = $derived<readonly FieldError[]>([...this.faults, ...this.refused]);

  /** The first error of a field, also of what lies in it; empty where there is none or where it is too early to tell. */
  errorOf(path: string): string {
    const found = this.errors.find((error) => error.path === path || error.path.startsWith(`${path}.`));
    if (found === undefined) return '';
    if (path === 'task_type' && this.type === '' && !this.tried) return '';
    const inner = found.path.slice(path.length + 1);
    return inner === '' ? found.message : `${inner} ${found.message}`;
  }

  /** Begins as another task was submitted; its keys and times are its own. */
  fill(task: Task): void {
    this.type = task.task_type;
    this.queue = task.queue;
    this.priority = String(task.priority);
    this.name = task.name ?? '';
    this.maxRetries = String(task.max_retries);
    this.timeout = String(task.timeout);
    this.payload = JSON.stringify(task.payload ?? {}, null, 2);
    this.touch();
  }

  /** Call on every input: the server's verdict was about other values. */
  touch(): void {
    this.refused = [];
  }
}

function findFaults({ value, error }: ParsedPayload, request: SubmitTaskInput): FieldError[] {
  const faults: FieldError[] = [];
  if (error !== '') faults.push({ path: 'payload', message: error });
  else if (!isObject(value)) faults.push({ path: 'payload', message: 'must be a JSON object' });
  else {
    const fault = findPayloadFault(value);
    if (fault !== null) faults.push(fault);
  }
  const checked = SubmitTask.safeParse(request);
  if (!checked.success) {
    for (const issue of checked.error.issues) {
      const path = issue.path.join('.');
      if (path !== 'payload')
        faults.push({
          path,
          message: path === 'task_type' && request.task_type === '' ? 'is required' : issue.message,
        });
    }
  }
  return faults;
}

/** NaN for what is no number, which the schema then names. */
const toNumber = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text));

const isObject = (value: unknown): value is Record<string, never> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parsePayload(text: string): ParsedPayload {
  try {
    return { value: JSON.parse(text), error: '', line: null };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const position = /position (\d+)/.exec(message)?.[1];
    const line = position === undefined ? null : text.slice(0, Number(position)).split('\n').length;
    return { value: undefined, error: message.replace(/ in JSON at position.*$/, ''), line };
  }
}
