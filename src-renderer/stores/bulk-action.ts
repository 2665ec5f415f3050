/**
 * What is done to many tasks at once, in words: title, consequence, what has to be typed, what speaks against it. Every
 * number comes from the dry run. Pure.
 */
import type { DryRun, OperationAction } from '#queue/contract/operation';
import type { Queue } from '#queue/contract/queue';
import type { SafetyLevel } from '#queue/contract/session';
import type { Worker } from '#queue/contract/worker';
import { capitalise, formatDuration, formatNumber, plural } from '../format';
import { type ActionKind, FEW } from '../safety';
import type { Selection } from './selection-text';

/** `purge` removes failed tasks for good; `delete` any. */
export const BULK_VERBS = ['requeue', 'purge', 'cancel', 'delete', 'reprioritise'] as const;
export type BulkVerb = (typeof BULK_VERBS)[number];

export interface BulkAction {
  readonly verb: BulkVerb;
  readonly selection: Selection;
  /** One of them; `task` where absent. */
  readonly noun?: string;
  /** For reprioritise. */
  readonly priority?: number;
}

const GERUNDS: Record<BulkVerb, string> = {
  requeue: 'Requeueing',
  purge: 'Purging',
  cancel: 'Cancelling',
  delete: 'Deleting',
  reprioritise: 'Reprioritising',
};

/** As an operation is told of in a list: the API keeps purges as deletes. */
export const OPERATION_WORDS: Record<OperationAction, string> = {
  requeue: 'Requeue',
  cancel: 'Cancel',
  delete: 'Delete',
  reprioritise: 'Reprioritise',
};

export const isIrreversible = (verb: BulkVerb): boolean => verb === 'purge' || verb === 'delete';

export const kindOf = (verb: BulkVerb, count: number): ActionKind =>
  isIrreversible(verb) || count > FEW ? 'bulk' : 'reversible';

/** `Requeue 312 tasks` */
export const verbPhrase = (verb: BulkVerb, count: number): string => `${capitalise(verb)} ${plural(count, 'task')}`;

/** `Requeueing 312 tasks` */
export const gerundPhrase = (verb: BulkVerb, count: number): string => `${GERUNDS[verb]} ${plural(count, 'task')}`;

/** The only queue of the tasks; null where there are several, or none. */
export function onlyQueue(plan: DryRun): string | null {
  const queues = Object.keys(plan.by_queue);
  return queues.length === 1 ? (queues[0] ?? null) : null;
}

/** `Requeue 312 failed tasks in payments on PRODUCTION` */
export function titleOf({ verb, noun = 'task' }: BulkAction, count: number, plan: DryRun, place: string): string {
  const queues = Object.keys(plan.by_queue).length;
  const where = onlyQueue(plan) ?? (queues > 1 ? plural(queues, 'queue') : null);
  return `${capitalise(verb)} ${plural(count, noun)}${where === null ? '' : ` in ${where}`} on ${place}`;
}

export function consequenceOf({ verb, priority }: BulkAction): string {
  switch (verb) {
    case 'requeue':
      return 'They go back to pending and run again with their payload unchanged. Attempts count on; history stays.';
    case 'purge':
    case 'delete':
      return 'They are removed for good, with payload, history and logs. This cannot be taken back.';
    case 'cancel':
      return 'Those that wait are cancelled at once. Those that run are asked to stop. Final ones are left alone.';
    case 'reprioritise':
      return `Those that wait get priority ${priority ?? '?'} (10 is most urgent). Running and final ones are left alone.`;
  }
}

/** What of it can be taken back, and until when. */
export function wayBackOf(verb: BulkVerb): string {
  if (isIrreversible(verb)) return 'You can abort it in Operations. What is removed by then stays removed.';
  if (verb === 'requeue') return 'You can pause or abort it in Operations. Tasks that have run cannot be taken back.';
  if (verb === 'cancel') return 'You can pause or abort it in Operations. Cancelled tasks can be requeued.';
  return 'You can pause or abort it in Operations.';
}

/** What has to be typed: the queue where the level only wants a second look, else verb, count and queue. */
export function confirmationWords(level: SafetyLevel, verb: BulkVerb, count: number, plan: DryRun): string {
  const queue = onlyQueue(plan);
  if (level === 'confirm' && queue !== null) return queue;
  return `${verb} ${count} ${queue ?? (count === 1 ? 'task' : 'tasks')}`;
}

/** What failed within it may fail again for the same cause. */
const STILL_FAILS_MS = 60_000;

/** What speaks against it, or has to be known before. Only what the dry run and the live stores say. */
export function warningsOf(
  verb: BulkVerb,
  plan: DryRun,
  known: { queues: readonly Queue[]; workers: readonly Worker[]; now: number },
): string[] {
  if (verb !== 'requeue') return [];
  const warnings: string[] = [];
  const failedAt = plan.samples.flatMap(({ status, finished_at }) =>
    status === 'failed' && finished_at !== null ? [Date.parse(finished_at)] : [],
  );
  const newestAgo = known.now - Math.max(...failedAt);
  if (newestAgo < STILL_FAILS_MS)
    warnings.push(
      `They still fail: the last one ${formatDuration(Math.max(1000, newestAgo))} ago. Wait, or try a few with a limit.`,
    );
  const paused = known.queues.filter(({ name, paused }) => paused && plan.by_queue[name] !== undefined);
  if (paused.length > 0)
    warnings.push(`${paused.map(({ name }) => name).join(', ')} paused: they wait there until it is resumed.`);
  const served = new Set(known.workers.flatMap((worker) => worker.task_types));
  const unserved = Object.keys(plan.by_task_type).filter((type) => !served.has(type));
  if (unserved.length > 0) warnings.push(`No live worker serves ${unserved.join(', ')}: they wait until one does.`);
  const late = plan.samples.filter(({ expires_at }) => expires_at !== null && Date.parse(expires_at) <= known.now);
  if (late.length > 0)
    warnings.push(
      `${formatNumber(late.length)} of ${plural(plan.samples.length, 'sample')} are past their expires_at.`,
    );
  return warnings;
}

/** The largest first, and how many more there are. */
export function largest(counts: Readonly<Record<string, number>>, most: number) {
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
  return { shown: sorted.slice(0, most), more: Math.max(0, sorted.length - most) };
}
