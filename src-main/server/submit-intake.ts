/** From a body that somebody sent to a task that may be stored. The same for single tasks, bulk and NDJSON. */
import { QueueError } from '#queue/contract/errors';
import { SubmitTask } from '#queue/contract/task';
import { parseSent } from '#queue/contract/wording';
import type { TaskSpec } from '#queue/engine/ports';
import { type TaskDefaults, toTaskSpec } from '#queue/engine/task-spec';
import type { Identity } from './auth';
import { refuseHostileValues } from './body';
import { fieldErrors, invalid } from './problem';

export type Checked = { ok: true; spec: TaskSpec } | { ok: false; message: string };

/** @throws {QueueError} BODY_TOO_LARGE where the payload is */
export const toSpec = (input: SubmitTask, caller: Identity, defaults: TaskDefaults): TaskSpec =>
  toTaskSpec(caller.via === 'key' ? { ...input, owner: caller.name } : input, defaults);

/** One entry of many: never throws for what is wrong with the entry. */
export function checkEntry(entry: unknown, caller: Identity, defaults: TaskDefaults): Checked {
  try {
    refuseHostileValues(entry);
    const parsed = parseSent(SubmitTask, entry);
    if (!parsed.success) throw invalid(fieldErrors(parsed.error));
    return { ok: true, spec: toSpec(parsed.data, caller, defaults) };
  } catch (error) {
    if (error instanceof QueueError) return { ok: false, message: error.message };
    throw error;
  }
}
