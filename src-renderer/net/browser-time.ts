/** The one place of the console that reads the clock, waits, and draws lots. Tests hand in their own. */
export interface BrowserTime {
  /** Unix ms. */
  now(): number;
  /** From 0 up to, not including, 1. */
  random(): number;
  /** @returns a function that takes it back */
  after(ms: number, run: () => void): () => void;
}

export const browserTime: BrowserTime = {
  // biome-ignore lint/nursery/noJsRestrictedProperties: this is the browser's clock
  now: () => Date.now(),
  // biome-ignore lint/nursery/noJsRestrictedProperties: this is the browser's random source
  random: () => Math.random(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
