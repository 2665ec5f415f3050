/**
 * batch_processing: a list of items, each a task of its own; one result for all.
 *
 * The batch waits for its tasks, and must not do so in the slot that they need: with a concurrency of 1 it would
 * wait for ever. It looks for a short while after it has submitted them, then snoozes, longer the longer it takes,
 * and only glances at them when it wakes. A cancelled batch cancels its tasks (while it sleeps, the engine does that for
 * it); a worker that stops does not.
 */
import { BATCH_TYPE } from '#queue/contract/batch';
import { type Clock, systemClock } from '#queue/kernel/clock';
import { timeOfId } from '#queue/kernel/ids';
import { CancelledError } from '../abort-reasons';
import { type BuiltInConfig, type HandlerContext, type HandlerDefinition, Snooze } from '../handler';
import { Children } from './batch/children';
import { type BatchResult, outcomeOf } from './batch/outcome';
import { BatchPayload } from './batch/payload';

export { BatchPayload };

/** In the slot, after submitting. */
const WATCH_MS = 2000;
const POLL_MS = 100;
/** Without any task moving, the slot is given up sooner: they may be waiting for it. */
const IDLE_MS = 400;
const MIN_SNOOZE_MS = 500;
const MAX_SNOOZE_MS = 5000;
/** Of the time that the batch has taken so far, what it sleeps next. */
const SNOOZE_SHARE = 0.1;

export function createBatchProcessingHandler(
  _config: BuiltInConfig,
  clock: Clock = systemClock,
): HandlerDefinition<typeof BatchPayload> {
  return {
    type: BATCH_TYPE,
    description: 'A list of items, each a task of its own; progress is the share that is done; one result for all',
    payload: BatchPayload,
    run: (context) => runBatch(context, clock),
  };
}

async function runBatch(context: HandlerContext<BatchPayload>, clock: Clock): Promise<BatchResult> {
  const { payload, signal, progress, artifacts, log } = context;
  const children = new Children(context.tasks);
  try {
    await children.ensure(context);
    await waitForAll(children, context, clock);
  } catch (error) {
    if (signal.aborted && signal.reason instanceof CancelledError) {
      log.info(`cancels ${children.open} tasks that have not ended`);
      await children.cancelOpen(`its batch ${context.task.id} was cancelled`);
    }
    throw error;
  }
  const result = await outcomeOf(children, payload.max_failures ?? 0, artifacts);
  await progress(100, `${result.completed} of ${result.total} completed`);
  return result;
}

/** @throws {Snooze} they take longer than the batch may hold its slot */
async function waitForAll(
  children: Children,
  { signal, progress }: HandlerContext<BatchPayload>,
  clock: Clock,
): Promise<void> {
  const [first] = children.ids;
  if (first === undefined) return;
  const total = children.ids.length;
  const ageMs = () => Math.max(0, clock.now() - timeOfId(first));
  const startedMs = clock.monotonic();
  // The submitting execution watches; one that wakes from a snooze has slept already and only glances.
  const watchMs = ageMs() < WATCH_MS ? WATCH_MS : 0;
  let movedMs = startedMs;
  for (;;) {
    signal.throwIfAborted();
    const moved = await children.look();
    const { open } = children;
    const failed = children.count('failed') + children.count('gone');
    const done = total - open;
    await progress((done / total) * 100, `${done} of ${total} done${failed > 0 ? `, ${failed} failed` : ''}`);
    if (open === 0) return;
    const nowMs = clock.monotonic();
    if (moved) movedMs = nowMs;
    if (nowMs - startedMs >= watchMs || nowMs - movedMs >= IDLE_MS) {
      throw new Snooze(Math.min(Math.max(ageMs() * SNOOZE_SHARE, MIN_SNOOZE_MS), MAX_SNOOZE_MS) / 1000);
    }
    await clock.sleep(POLL_MS, signal);
  }
}
