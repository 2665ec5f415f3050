/** Collects the frames of tasks and hands them on with the beat, so that a busy server does not keep the page busy. */
import type { ServerFrame } from '#queue/contract/stream';
import type { PaintBeat } from '../paint-beat';
import type { TaskFrame } from '../stores/task-list-store.svelte';

export class FrameBatch {
  readonly #beat: Pick<PaintBeat, 'ask'>;
  readonly #paint: (frames: readonly TaskFrame[]) => void;
  #frames: TaskFrame[] = [];

  constructor(beat: Pick<PaintBeat, 'ask'>, paint: (frames: readonly TaskFrame[]) => void) {
    this.#beat = beat;
    this.#paint = paint;
  }

  take(frame: ServerFrame): void {
    if (frame.type === 'snapshot') this.#frames = []; // what happened before it, the reads after it will tell
    if (frame.type !== 'task') return;
    this.#frames.push(frame);
    if (this.#frames.length > 1) return;
    this.#beat.ask(() => {
      const frames = this.#frames;
      this.#frames = [];
      if (frames.length > 0) this.#paint(frames);
    });
  }
}
