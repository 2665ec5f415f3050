/** What the model of a queue knows, and what all its calls have in common. */
import type { TaskEvent } from '#queue/contract/lifecycle';
import type { Place } from '../support/queue-snapshot';
import { ModelClock } from './model-clock';
import { FINAL, type ModelTask } from './model-task';
import { StandbyModel } from './standby-model';

export interface Failure {
  fingerprint: string;
  title: string;
}

export class QueueState {
  readonly tasks = new Map<string, ModelTask>();
  readonly idempotent = new Map<string, { id: string; hash: string; until: number }>();
  /** Task type → until when somebody runs it, by the queue clock. */
  readonly served = new Map<string, number>();
  /** Fingerprint → group of the dead-letter queue. */
  readonly groups = new Map<string, { first: number; last: number; type: string; title: string }>();
  readonly clock: ModelClock;
  readonly standby = new StandbyModel();
  rate = { start: Number.NEGATIVE_INFINITY, count: 0 };
  /** Ends that dependants have to be told of, in order. */
  readonly outbox: { parent: string; completed: boolean }[] = [];
  /** What submits have handed to workers that stood by. */
  readonly handed: { id: string; token: string }[] = [];
  /** What the event stream has to say of this call, in any order. */
  told: string[] = [];
  /** The call has made something ready: a worker that waits has to hear of it. */
  mustWake = false;
  /** It may have changed when something is due next: the worker that waits may hear of it. */
  mayWake = false;
  seq = 0;
  epoch = 0;
  paused = false;
  concurrency: number | null = null;
  rateLimit: { max: number; perMs: number } | null = null;
  maxPending: number | null = null;
  #ends = 0;

  constructor(wall: () => number) {
    this.clock = new ModelClock(wall);
  }

  in(place: Place): ModelTask[] {
    return [...this.tasks.values()].filter((task) => task.place === place);
  }

  protected say(
    event: TaskEvent,
    { id }: ModelTask,
    said: { attempts?: number; worker?: string; percent?: number },
  ): void {
    this.told.push(eventLine({ event, id, ...said }));
  }

  protected ownerOf(uniqueKey: string | null): ModelTask | undefined {
    if (uniqueKey === null) return undefined;
    return [...this.tasks.values()].find((task) => task.uniqueKey === uniqueKey && !FINAL.includes(task.place));
  }

  protected end(
    task: ModelTask,
    place: 'completed' | 'failed' | 'cancelled',
    { kind, token = '', failure }: { kind: string; token?: string; failure?: Failure },
  ): void {
    if (place === 'failed' && failure) {
      task.fingerprint = failure.fingerprint;
      const first = this.groups.get(failure.fingerprint)?.first ?? this.clock.wall();
      this.groups.set(failure.fingerprint, { first, last: this.clock.wall(), type: task.type, title: failure.title });
    }
    task.history.push(`${kind} ${token}`);
    task.place = place;
    task.endedAt = this.clock.wall();
    task.endOrder = ++this.#ends;
    task.run = null;
    task.waits.clear();
    this.tell(task, place === 'completed');
  }

  /** Those who asked are told by whoever reads the outbox. */
  protected tell(task: ModelTask, completed: boolean): void {
    if (task.needed) this.outbox.push({ parent: task.id, completed });
  }

  /** It leaves the dead-letter queue. */
  protected exhume(task: ModelTask): void {
    if (task.place !== 'failed') return;
    const others = this.in('failed').filter((other) => other !== task && other.fingerprint === task.fingerprint);
    if (others.length === 0) this.groups.delete(task.fingerprint);
  }

  protected forget(task: ModelTask): void {
    this.exhume(task);
    this.tasks.delete(task.id);
    if (task.idempotencyKey !== null && this.idempotent.get(task.idempotencyKey)?.id === task.id)
      this.idempotent.delete(task.idempotencyKey);
  }
}

/** An event as tests compare it. */
export const eventLine = (said: {
  event: TaskEvent;
  id: string;
  attempts?: number | undefined;
  worker?: string | null | undefined;
  percent?: number | undefined;
}): string => [said.event, said.id, said.attempts ?? '', said.worker ?? '', said.percent ?? ''].join(' ');
