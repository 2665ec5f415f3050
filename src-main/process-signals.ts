/**
 * What the process is told from outside: to stop, to stop at once, to quiet. An exception that nobody caught is
 * a reason to stop too: afterwards nobody knows the state of this process, but its children must not be left behind.
 */
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import { StopWishes } from '#queue/kernel/stop-wishes';

/** 128 + the number of the signal, as shells count. */
const SECOND_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

export class ProcessSignals {
  /** Resolves at the first wish to stop: null for a signal, else the exception. */
  readonly asked: Promise<unknown>;
  /** Resolves at the second. */
  readonly atOnce: Promise<void>;
  onQuiet: () => void = () => undefined;
  /** Exit code of an end at once. */
  secondCode: number = SECOND_CODES.SIGTERM;
  hurried = false;
  readonly #log: Log;
  #ask: (reason: unknown) => void = () => undefined;
  #hurry: () => void = () => undefined;
  readonly #wishes: StopWishes;
  readonly #listeners: readonly [string, (value: unknown) => void][];

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#wishes = new StopWishes(clock);
    this.asked = new Promise((resolve) => {
      this.#ask = resolve;
    });
    this.atOnce = new Promise((resolve) => {
      this.#hurry = resolve;
    });
    this.#listeners = [
      ['SIGTERM', () => this.#stop('SIGTERM')],
      ['SIGINT', () => this.#stop('SIGINT')],
      ['SIGTSTP', () => this.onQuiet()],
      ['SIGUSR1', () => this.onQuiet()],
      ['uncaughtException', (error) => this.#fault('an exception was not caught', error)],
      ['unhandledRejection', (error) => this.#fault('a promise was rejected and nobody handled it', error)],
    ];
  }

  listen(): void {
    for (const [name, listener] of this.#listeners) process.on(name, listener);
  }

  unlisten(): void {
    for (const [name, listener] of this.#listeners) process.off(name, listener);
  }

  #stop(signal: keyof typeof SECOND_CODES): void {
    this.#ask(null);
    if (this.#wishes.next() !== 'again') return;
    this.hurried = true;
    this.secondCode = SECOND_CODES[signal];
    this.#hurry();
  }

  #fault(what: string, error: unknown): void {
    this.#log.error(`${what}: the process stops`, { error });
    this.#ask(error ?? new Error(what));
  }
}
