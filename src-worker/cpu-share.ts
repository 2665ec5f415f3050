/** How much of one core this process used, from one look to the next. */
import type { Clock } from '#queue/kernel/clock';

export class CpuShare {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #last: { at: number; microseconds: number };

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
    this.#last = this.#look();
  }

  /** Per cent since the last call, above 100 where several threads work; null where no time has passed. */
  take(): number | null {
    const before = this.#last;
    this.#last = this.#look();
    const passedMs = this.#last.at - before.at;
    if (passedMs <= 0) return null;
    return Math.max(0, Math.round((this.#last.microseconds - before.microseconds) / passedMs) / 10);
  }

  #look() {
    const { user, system } = process.cpuUsage();
    return { at: this.#clock.monotonic(), microseconds: user + system };
  }
}
