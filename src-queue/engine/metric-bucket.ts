/** What happened in one queue in one step of time: counts and two histograms; merges, and travels as JSON. */
import { z } from 'zod';
import { type Histogram, mergeInto } from './histogram';

export interface Bucket {
  created: number;
  started: number;
  completed: number;
  /** Attempts. */
  failed: number;
  /** Tasks that entered the dead-letter queue. */
  dead: number;
  wait: Histogram;
  run: Histogram;
  /** Pending at the end of the step; null where nobody looked. */
  depth: number | null;
}

export const emptyBucket = (): Bucket => ({
  created: 0,
  started: 0,
  completed: 0,
  failed: 0,
  dead: 0,
  wait: new Map(),
  run: new Map(),
  depth: null,
});

export function mergeBucket(target: Bucket, source: Bucket): void {
  target.created += source.created;
  target.started += source.started;
  target.completed += source.completed;
  target.failed += source.failed;
  target.dead += source.dead;
  mergeInto(target.wait, source.wait);
  mergeInto(target.run, source.run);
  // Of one queue the last look counts: buckets are merged in the order of time.
  target.depth = source.depth ?? target.depth;
}

const Pairs = z.array(z.tuple([z.number(), z.number()]));
const Stored = z.record(
  z.string(),
  z.object({
    c: z.tuple([z.number(), z.number(), z.number(), z.number(), z.number()]),
    w: Pairs,
    r: Pairs,
    d: z.number().nullable(),
  }),
);

/** Buckets of one step, by queue. */
export type Step = Map<string, Bucket>;

export const encodeStep = (step: Step): string =>
  JSON.stringify(
    Object.fromEntries(
      [...step].map(([queue, { created, started, completed, failed, dead, wait, run, depth }]) => [
        queue,
        { c: [created, started, completed, failed, dead], w: [...wait], r: [...run], d: depth },
      ]),
    ),
  );

export function decodeStep(text: string): Step {
  const step: Step = new Map();
  for (const [queue, { c, w, r, d }] of Object.entries(Stored.parse(JSON.parse(text)))) {
    const [created, started, completed, failed, dead] = c;
    step.set(queue, { created, started, completed, failed, dead, wait: new Map(w), run: new Map(r), depth: d });
  }
  return step;
}
