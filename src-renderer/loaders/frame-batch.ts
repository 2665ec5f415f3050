/** Collects the frames of tasks and hands them on a few times a second, so that a busy server does not keep the page busy. */
import type { ServerFrame } from '#queue/contract/stream';
import type { BrowserTime } from '../net/browser-time';
import type { TaskFrame } from '../stores/task-list-store.svelte';

const PAINT_MS = 250;

export class FrameBatch {
  readonly #time: BrowserTime;
  readonly #paint: (frames: readonly TaskFrame[]) => void;
  #frames: TaskFrame[] = [];

  constructor(time: BrowserTime, paint: (frames: readonly TaskFrame[]) => void) {
    this.#time = time;
    this.#paint = paint;
  }

  take(frame: ServerFrame): void {
    if (frame.type === 'snapshot') this.#frames = []; // what happened before it, the reads after it will tell
    if (frame.type !== 'task') return;
    this.#frames.push(frame);
    if (this.#frames.length > 1) return;
    this.#time.after(PAINT_MS, () => {
      const frames = this.#frames;
      this.#frames = [];
      if (frames.length > 0) this.#paint(frames);
    });
  }
}
