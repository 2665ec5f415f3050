/** Names of what is measured on Millrace and its peers alike. */
import type { Work } from './subject';

/** What is measured. */
export const SUBJECTS = {
  ours: 'millrace',
  prioritised: 'bullmq (priorities)',
  plain: 'bullmq',
  bee: 'bee-queue',
} as const;

const WHAT_HANDLERS_DO: Record<Work, string> = {
  noop: 'no-op tasks',
  wait: 'tasks of 20 ms of waiting',
  spin: 'tasks of 1 ms of processor',
  flaky: 'tasks that fail once',
};
const WORKERS = ['no', 'one worker', 'two workers'];

const how = (work: Work, concurrency: number, workers: number): string =>
  `${WHAT_HANDLERS_DO[work]}, ${WORKERS[workers]}, concurrency ${concurrency}`;
export const processing = (work: Work, concurrency: number, workers = 1): string =>
  `process ${how(work, concurrency, workers)}`;
export const redisCpu = (work: Work, concurrency: number, workers = 1): string =>
  `Redis CPU per task: ${how(work, concurrency, workers)}`;
export const redisCommands = (work: Work, concurrency: number, workers = 1): string =>
  `Redis commands per task, those in scripts too: ${how(work, concurrency, workers)}`;
export const redisNetwork = (work: Work, concurrency: number, workers = 1): string =>
  `Redis network per task, both ways: ${how(work, concurrency, workers)}`;
export const redisFile = (work: Work, concurrency: number, workers = 1): string =>
  `append-only file per task: ${how(work, concurrency, workers)}`;
export const ofSubmits = {
  cpu: 'Redis CPU per task submitted in calls of 1000',
  network: 'Redis network per task submitted in calls of 1000, both ways',
  file: 'append-only file per task submitted in calls of 1000',
} as const;
export const SUBMIT_SINGLY = 'submit one at a time, 50 in flight';
export const SUBMIT_IN_BULK = 'submit in calls of 1000';
export const MEMORY = 'Redis memory of a pending task, indexes included';
export const pickup = (which: 'p50' | 'p99'): string => `submit to start on an idle queue, ${which}`;
