/**
 * Work calls whose outcome is unknown are repeated with the very same arguments until they are answered: the engine knows the
 * nonce, so nothing is claimed or settled twice, and no settle is dropped.
 */
import { QueueError } from '#queue/contract/errors';
import type { TaskEngine, WorkCall, WorkReply } from '#queue/engine/ports';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';

const RETRY_FIRST_MS = 50;
const RETRY_MAX_MS = 500;

/** Redis has answered, and done nothing: the queue's data are damaged. */
const isRefusal = (error: unknown): boolean => error instanceof QueueError && error.code === 'STORE_DAMAGED';
const NOTHING: WorkReply = {
  verdicts: [],
  claimed: [],
  nextDueInMs: null,
  skipped: true,
  standsBy: false,
  handed: [],
};

export interface PatientCallsDeps {
  engine: Pick<TaskEngine, 'work'>;
  clock: Clock;
  log: Log;
  random: () => number;
  nextNonce: () => string;
}

export class PatientCalls {
  readonly #deps: PatientCallsDeps;
  readonly #abandon = new AbortController();
  /** Queues that refuse; each is told of once. */
  readonly #refusing = new Set<string>();

  constructor(deps: PatientCallsDeps) {
    this.#deps = deps;
  }

  /** No call is repeated any more. */
  abandon(): void {
    this.#abandon.abort();
  }

  /**
   * @param onRefused what the call has asked for is free again: settles are tried on, claims are not
   * @returns null where the worker ended before there was an answer
   */
  async untilAnswered(first: WorkCall, onRefused: () => void): Promise<WorkReply | null> {
    const { engine, clock, random, log, nextNonce } = this.#deps;
    const { queue } = first;
    let call = first;
    let delayMs = RETRY_FIRST_MS;
    for (let tries = 1; ; tries++) {
      try {
        const reply = await engine.work(call);
        if (this.#refusing.delete(queue) || tries > 1) log.info('work goes on', { queue, tries });
        return reply;
      } catch (error) {
        if (tries === 1 && !this.#refusing.has(queue))
          log.warn('a work call failed; it is repeated until it is answered', { queue, error });
        if (isRefusal(error)) {
          this.#refusing.add(queue);
          onRefused();
          if (call.settles.length === 0) return NOTHING;
          call = { ...call, want: 0, ahead: 0, standby: undefined, nonce: nextNonce() };
        }
      }
      await clock.sleep(delayMs * (0.5 + random() / 2), this.#abandon.signal);
      if (this.#abandon.signal.aborted) return null;
      delayMs = Math.min(delayMs * 2, RETRY_MAX_MS);
    }
  }
}
