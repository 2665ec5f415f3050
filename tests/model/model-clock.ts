/** The queue clock: it follows the wall clock, never goes back, and one call moves it by its cap at most. */
export class ModelClock {
  readonly wall: () => number;
  #last: number | null = null;
  /** ms; a quarter of the shortest lease there has been. */
  cap = 2500;
  mono = 0;

  constructor(wall: () => number) {
    this.wall = wall;
  }

  /** As each call does it that writes. */
  advance(): void {
    const passed = this.wall() - (this.#last ?? this.wall());
    this.mono += Math.min(Math.max(0, passed), this.cap);
    this.#last = this.wall();
  }

  allowLease(ms: number): void {
    this.cap = Math.min(this.cap, Math.max(250, Math.floor(ms / 4)));
  }
}
