/**
 * A worker process's word to the process that forked it: that it serves, and what it runs, so that a crash can name
 * the tasks. What runs is told at once after a quiet moment, else a few times a second. Without a parent, says nothing.
 * A parent that ends and wants its workers to go on says `detach` first.
 */
import { z } from 'zod';
import type { ClaimedTask } from '#queue/engine/ports';
import type { Clock } from '#queue/kernel/clock';

const TELL_EVERY_MS = 100;

const ParentMessage = z.object({ type: z.literal('detach') });

export interface ParentChannel {
  send(message: unknown): void;
  /** Asked to go on alone. */
  onDetach(listener: () => void): void;
}

export class ParentLink {
  readonly #channel: ParentChannel | null;
  readonly #clock: Clock;
  readonly #running: () => readonly ClaimedTask[];
  #toldAt = Number.NEGATIVE_INFINITY;
  #told = '';
  #waiting = false;

  constructor(channel: ParentChannel | null, clock: Clock, running: () => readonly ClaimedTask[]) {
    this.#channel = channel;
    this.#clock = clock;
    this.#running = running;
  }

  ready(workerId: string): void {
    this.#channel?.send({ type: 'ready', workerId });
  }

  /** `outlive` is called when the parent wants to end without us; then it is told that it may. */
  onDetach(outlive: () => void): void {
    this.#channel?.onDetach(() => {
      outlive();
      this.#channel?.send({ type: 'detached' });
    });
  }

  /** Cheap to call for every task. */
  runningChanged(): void {
    if (this.#channel === null || this.#waiting) return;
    const waitMs = this.#toldAt + TELL_EVERY_MS - this.#clock.monotonic();
    if (waitMs <= 0) {
      this.tell();
      return;
    }
    this.#waiting = true;
    void this.#clock.sleep(waitMs).then(() => {
      this.#waiting = false;
      this.tell();
    });
  }

  /** Tells what runs now, unless that was told already. */
  tell(): void {
    if (this.#channel === null) return;
    this.#toldAt = this.#clock.monotonic();
    const tasks = this.#running().map(({ id, type }) => ({ id, task_type: type }));
    const told = JSON.stringify(tasks);
    if (told === this.#told) return;
    this.#told = told;
    this.#channel.send({ type: 'running', tasks });
  }
}

/** The channel to the process that forked this one; null where there is none. */
export function parentChannel(): ParentChannel | null {
  if (process.send === undefined) return null;
  return {
    send: (message) => {
      // It may be gone between the look and the call; then `disconnect` follows, and the worker stops.
      if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
    },
    onDetach: (listener) => {
      process.on('message', (message) => {
        if (ParentMessage.safeParse(message).success) listener();
      });
    },
  };
}
