/** The task that an item becomes. The same item of the same batch always becomes the same task, with the same idempotency key. */

import { batchTag } from '#queue/contract/batch';
import { LIMITS } from '#queue/contract/limits';
import type { JsonValue } from '#queue/contract/primitives';
import type { SubmitTaskInput } from '#queue/contract/task';
import type { RunningTask } from '../../handler';
import { type BatchPayload, TaskItem } from './payload';

type JsonObject = Record<string, JsonValue>;

export function taskOfItem(batch: BatchPayload, task: RunningTask, index: number): SubmitTaskInput {
  const item = (batch.items[index] ?? null) as JsonValue;
  const own = batch.task_type === undefined ? TaskItem.parse(item) : null;
  return {
    task_type: own?.task_type ?? batch.task_type ?? '',
    name: own?.name ?? `${task.name ?? 'batch'} [${index}]`.slice(-LIMITS.nameLength),
    payload: own === null ? payloadOf(batch, item, index) : { ...batch.payload, ...own.payload },
    queue: own?.queue ?? batch.queue ?? task.queue,
    priority: own?.priority ?? batch.priority ?? task.priority,
    tags: [batchTag(task.id)],
    idempotency_key: `batch:${task.id}:${index}`,
    ...(batch.max_retries !== undefined && { max_retries: batch.max_retries }),
    ...(batch.timeout !== undefined && { timeout: batch.timeout }),
  };
}

function payloadOf(batch: BatchPayload, item: JsonValue, index: number): JsonObject {
  if (batch.payload_template !== undefined) {
    return { ...batch.payload, ...(fill(batch.payload_template, item, index) as JsonObject) };
  }
  return { ...batch.payload, ...(isObject(item) ? item : { [batch.item_field ?? 'item']: item }) };
}

const isObject = (value: JsonValue): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A string that is nothing but a placeholder becomes the value, of whatever type; inside other text it becomes text. */
function fill(template: JsonValue, item: JsonValue, index: number): JsonValue {
  if (typeof template === 'string') return fillText(template, item, index);
  if (Array.isArray(template)) return template.map((child) => fill(child, item, index));
  if (!isObject(template)) return template;
  return Object.fromEntries(Object.entries(template).map(([key, child]) => [key, fill(child, item, index)]));
}

const PLACEHOLDER = /\{\{\s*(index|item(?:\.[\w-]+)*)\s*\}\}/g;

function fillText(text: string, item: JsonValue, index: number): JsonValue {
  const whole = /^\{\{\s*(index|item(?:\.[\w-]+)*)\s*\}\}$/.exec(text);
  if (whole !== null) return valueAt(whole[1] ?? '', item, index);
  return text.replace(PLACEHOLDER, (_match, path: string) => {
    const value = valueAt(path, item, index);
    return typeof value === 'string' ? value : JSON.stringify(value);
  });
}

/** A field that is not there is null. */
function valueAt(path: string, item: JsonValue, index: number): JsonValue {
  if (path === 'index') return index;
  let value: JsonValue = item;
  for (const key of path.split('.').slice(1)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return null;
    value = (value as JsonObject)[key] ?? null;
  }
  return value;
}
