/** A task as the model keeps it, and the orders that the queue knows. */
import type { Place } from '../support/queue-snapshot';

export const QUEUE = 'default';

export interface ModelTask {
  readonly id: string;
  readonly type: string;
  readonly uniqueKey: string | null;
  readonly idempotencyKey: string | null;
  readonly retries: number;
  payload: string;
  name: string | null;
  tags: readonly string[];
  readonly createdAt: number;
  /** Of each ended attempt and of each other turn: kind and token. */
  readonly history: string[];
  /** Of the error with which it failed. */
  fingerprint: string;
  /** Lines. */
  logs: number;
  band: number;
  seq: number;
  /** Null once it does not count any more. */
  expiresAt: number | null;
  /** Executions at most. */
  most: number;
  /** Executions that ended and are counted. */
  attempts: number;
  place: Place;
  runAt: number | null;
  dueAt: number;
  /** Of a blocked task: parents that it has not heard of. */
  readonly waits: Set<string>;
  /** Tasks that asked to be told of its end. */
  readonly dependants: Set<string>;
  endedAt: number;
  /** Of all that ended: which it was. */
  endOrder: number;
  run: {
    token: string;
    workerId: string;
    until: number;
    attempt: number;
    cancelAsked: boolean;
    percent: number | null;
  } | null;
  /** Tokens under which an execution of it has ended by its worker's word. */
  readonly ended: Set<string>;
  /** Someone has asked to be told of its end. */
  needed: boolean;
}

export const FINAL: readonly Place[] = ['completed', 'failed', 'cancelled'];
export const WAITING: readonly Place[] = ['pending', 'parked', 'scheduled', 'retrying', 'blocked'];

/** Nothing that has ended goes sooner; with an idempotency key, not within a day. */
export const PATIENT_MS = 10_000;
export const DAY_MS = 86_400_000;
const BAND = 2 ** 45;
export const scoreOf = ({ band, seq }: ModelTask): number => band * BAND + seq;

/** As a sorted set of Redis: by the score, then by the member. */
export const by =
  (score: (task: ModelTask) => number) =>
  (a: ModelTask, b: ModelTask): number =>
    score(a) - score(b) || (a.id < b.id ? -1 : 1);

export const inOrderOfEnd = (a: ModelTask, b: ModelTask): number => a.endedAt - b.endedAt || a.endOrder - b.endOrder;
