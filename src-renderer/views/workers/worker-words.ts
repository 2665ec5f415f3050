/** How a worker does, in a word with its icon and in a sentence that says why. Pure. */

import type { Pool, Worker } from '#queue/contract/worker';
import type { IconName } from '../../components/icon-paths';
import { formatAge, formatDuration, plural } from '../../format';

/** Four heartbeats did not come. The directory forgets a worker after 15 s. */
export const STALE_MS = 8000;
/** A worker that has just begun has not fetched yet. */
const WARM_UP_MS = 15_000;

export type Condition =
  | 'starting'
  | 'idle'
  | 'busy'
  | 'quiet'
  | 'stopping'
  | 'waiting'
  | 'blocked'
  | 'stale'
  | 'not_fetching';

type Process = Pool['members'][number];

/** What is known of one worker: its heartbeat, its place in a pool of this server, or both. */
export interface Observed {
  readonly worker: Worker | null;
  readonly process: Process | null;
  /** For how long no new heartbeat has come, ms. */
  readonly silentMs: number;
}

export const CONDITIONS: Record<
  Condition,
  { readonly word: string; readonly long: string; readonly icon: IconName | 'busy'; readonly look: string }
> = {
  starting: { word: 'Starting', long: 'Starting', icon: 'hourglass', look: 'muted' },
  idle: { word: 'Idle', long: 'Idle', icon: 'circle', look: 'muted' },
  busy: { word: 'Busy', long: 'Busy', icon: 'busy', look: 'st-processing' },
  quiet: { word: 'Quiet', long: 'Quiet', icon: 'pauseCircle', look: 'muted' },
  stopping: { word: 'Stopping', long: 'Stopping', icon: 'stop', look: 'muted' },
  waiting: { word: 'Crashed', long: 'Crashed, starts again', icon: 'retry', look: 'warn m5' },
  blocked: { word: 'Blocked', long: 'Event loop blocked', icon: 'ban', look: 'warn m5' },
  stale: { word: 'Silent', long: 'Silent', icon: 'unplugged', look: 'warn m5' },
  not_fetching: { word: 'Not fetching', long: 'Connected, not fetching', icon: 'unplugged', look: 'warn m5' },
};

export const isTroubled = (condition: Condition): boolean => CONDITIONS[condition].look.startsWith('warn');

/** @param now Unix ms */
export function conditionOf({ worker, process, silentMs }: Observed, now: number): Condition {
  if (process?.state === 'waiting') return 'waiting';
  if (worker === null) return process?.state === 'stopping' ? 'stopping' : 'starting';
  if (silentMs > STALE_MS) return 'stale';
  if (worker.blocked) return 'blocked';
  if (worker.state === 'stopping' || process?.state === 'stopping') return 'stopping';
  if (worker.state !== 'running') return worker.state;
  const warm = now - Date.parse(worker.started_at) > WARM_UP_MS;
  if (worker.fetching === false && worker.running.length < worker.concurrency && warm) return 'not_fetching';
  return worker.running.length > 0 ? 'busy' : 'idle';
}

/** The sentence that says it, and a second one that says what follows. */
export function whyWords(observed: Observed, now: number): { lead: string; rest: string } {
  const { worker, process, silentMs } = observed;
  switch (conditionOf(observed, now)) {
    case 'waiting':
      return {
        lead: 'Its process ended and nobody asked for it.',
        rest: `The pool starts it again by itself${process === null || process.restarts === 0 ? '' : `, after ${plural(process.restarts, 'restart')} so far`}. The pause grows with every crash in a row.`,
      };
    case 'starting':
      return { lead: 'Its process starts.', rest: 'It loads its handlers and has not told of itself yet.' };
    case 'stale':
      return {
        lead: `No heartbeat for ${formatDuration(silentMs)}.`,
        rest: 'It may have been killed, or cut off from Redis. Its tasks come back when their leases end.',
      };
    case 'blocked':
      return {
        lead: 'Its event loop does not turn.',
        rest: 'A handler computes without a pause: nothing else in the process goes on, and it cannot be cancelled. Its leases are kept alive from another thread.',
      };
    case 'not_fetching':
      return {
        lead:
          worker?.last_fetch_at == null
            ? 'Heartbeat is fresh, but it has never asked for work.'
            : `Heartbeat is fresh, but it last asked for work ${formatAge(worker.last_fetch_at, now)} ago.`,
        rest: 'It has free slots and takes nothing. A restart opens its connections anew.',
      };
    case 'quiet':
      return {
        lead: 'It takes no new task.',
        rest: `${runningWords(worker)} It stays quiet until it is stopped or restarted.`,
      };
    case 'stopping':
      return { lead: 'It ends.', rest: runningWords(worker) };
    case 'busy':
      return {
        lead: `${plural(worker?.running.length ?? 0, 'task')} in ${plural(worker?.concurrency ?? 0, 'slot')}.`,
        rest:
          worker !== null && worker.running.length >= worker.concurrency
            ? 'All slots are taken: it asks again when one is free.'
            : 'It asks for more.',
      };
    default:
      return {
        lead: 'It waits for work.',
        rest: 'Nothing is pending in the queues that it serves, or others take it.',
      };
  }
}

const runningWords = (worker: Worker | null): string =>
  worker === null || worker.running.length === 0
    ? 'Nothing runs in it.'
    : `${plural(worker.running.length, 'task')} still ${worker.running.length === 1 ? 'runs' : 'run'}.`;

/** How a process ended: `SIGKILL`, `code 3`, `did not start`. */
export const exitWords = ({ code, signal, reason }: Pool['exits'][number]): string =>
  reason.startsWith('did not start') ? 'did not start' : (signal ?? (code === null ? reason : `code ${code}`));

/** `emails ×3, default` */
export const queueWords = (queues: readonly { readonly name: string; readonly weight: number }[]): string =>
  queues
    .map(({ name, weight }) => `${name === '*' ? 'every queue' : name}${weight === 1 ? '' : ` ×${weight}`}`)
    .join(', ');
