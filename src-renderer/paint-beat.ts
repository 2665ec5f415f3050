/**
 * The one beat at which a busy server changes the page: at most four times a second, whatever comes and wherever it is
 * shown. What comes after a rest is shown almost at once; the little wait lets frames that come together paint together.
 */
import type { BrowserTime } from './net/browser-time';

const BEAT_MS = 250;
const GATHER_MS = 20;

export class PaintBeat {
  readonly #time: BrowserTime;
  #waiting: (() => void)[] = [];
  #takeBack: () => void = () => undefined;
  /** Unix ms. */
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(time: BrowserTime) {
    this.#time = time;
  }

  /** `change` is made with the next beat, in the order of asking. */
  ask(change: () => void): void {
    this.#waiting.push(change);
    if (this.#waiting.length > 1) return;
    const restMs = this.#lastMs + BEAT_MS - this.#time.now();
    // a clock that is set back makes nobody wait for it
    this.#takeBack = this.#time.after(Math.min(BEAT_MS, Math.max(GATHER_MS, restMs)), () => this.flush());
  }

  /** Makes what waits now: what comes next counts on it. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    this.#takeBack();
    this.#lastMs = this.#time.now();
    const changes = this.#waiting;
    this.#waiting = [];
    for (const change of changes) change();
  }
}
