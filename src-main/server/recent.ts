/** A value that is read again only when it is older than allowed; those who ask while it is read share the answer. */
import type { Clock } from '#queue/kernel/clock';

export class Recent<T> {
  readonly #read: () => Promise<T>;
  readonly #maxAgeMs: number;
  readonly #clock: Clock;
  #value: { value: T; at: number } | undefined;
  #reading: Promise<T> | undefined;

  constructor(read: () => Promise<T>, maxAgeMs: number, clock: Clock) {
    this.#read = read;
    this.#maxAgeMs = maxAgeMs;
    this.#clock = clock;
  }

  /** @throws what the reading throws; the next call reads again */
  get(): Promise<T> {
    if (this.#value !== undefined && this.#clock.monotonic() - this.#value.at < this.#maxAgeMs)
      return Promise.resolve(this.#value.value);
    this.#reading ??= this.#refresh().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #refresh(): Promise<T> {
    const at = this.#clock.monotonic();
    const value = await this.#read();
    this.#value = { value, at };
    return value;
  }
}
