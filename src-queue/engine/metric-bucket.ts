/** What happened in one queue in one step of time: counts and two histograms; merges, and travels as JSON. */
import { z } from 'zod';
import { SAMPLED_STATUSES, type StatusCounts } from '../contract/queue';
import { type Histogram, mergeInto } from './histogram';

/** What a look at a queue found, at the end of a step. */
export interface Sample {
  depths: Record<(typeof SAMPLED_STATUSES)[number], number>;
  /** How long the oldest pending task had waited; null where none waits. */
  oldestMs: number | null;
}

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
  /** Null where nobody looked. */
  sample: Sample | null;
}

export function sampleOf(counts: StatusCounts, oldestMs: number | null): Sample {
  const { scheduled, blocked, pending, processing, retrying, failed } = counts;
  return { depths: { scheduled, blocked, pending, processing, retrying, failed }, oldestMs };
}

export const emptyBucket = (): Bucket => ({
  created: 0,
  started: 0,
  completed: 0,
  failed: 0,
  dead: 0,
  wait: new Map(),
  run: new Map(),
  sample: null,
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
  target.sample = source.sample ?? target.sample;
}

const Pairs = z.array(z.tuple([z.number(), z.number()]));
const Six = z.tuple([z.number(), z.number(), z.number(), z.number(), z.number(), z.number()]);
/** `d`, pending only, is for servers that do not know `s` yet. */
const Stored = z.record(
  z.string(),
  z.object({
    c: z.tuple([z.number(), z.number(), z.number(), z.number(), z.number()]),
    w: Pairs,
    r: Pairs,
    d: z.number().nullable(),
    s: Six.nullish(),
    o: z.number().nullish(),
  }),
);

/** Buckets of one step, by queue. */
export type Step = Map<string, Bucket>;

export const encodeStep = (step: Step): string =>
  JSON.stringify(
    Object.fromEntries(
      [...step].map(([queue, { created, started, completed, failed, dead, wait, run, sample }]) => [
        queue,
        {
          c: [created, started, completed, failed, dead],
          w: [...wait],
          r: [...run],
          d: sample?.depths.pending ?? null,
          ...(sample && { s: SAMPLED_STATUSES.map((status) => sample.depths[status]), o: sample.oldestMs }),
        },
      ]),
    ),
  );

export function decodeStep(text: string): Step {
  const step: Step = new Map();
  for (const [queue, { c, w, r, s, o }] of Object.entries(Stored.parse(JSON.parse(text)))) {
    const [created, started, completed, failed, dead] = c;
    step.set(queue, {
      created,
      started,
      completed,
      failed,
      dead,
      wait: new Map(w),
      run: new Map(r),
      sample: s ? readSample(s, o ?? null) : null,
    });
  }
  return step;
}

function readSample(
  [scheduled, blocked, pending, processing, retrying, failed]: z.infer<typeof Six>,
  oldestMs: number | null,
): Sample {
  return { depths: { scheduled, blocked, pending, processing, retrying, failed }, oldestMs };
}
