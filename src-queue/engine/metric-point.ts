/** One point of a chart, of the buckets of all queues that it shows. */
import { isoTime } from '../contract/primitives';
import { SAMPLED_STATUSES, type Timeseries } from '../contract/queue';
import { percentiles } from './histogram';
import { type Bucket, emptyBucket, mergeBucket, type Sample } from './metric-bucket';

type Point = Timeseries['points'][number];

/** `buckets` has one a queue; null where nobody looked at this step: then nothing is known, which is not zero. */
export function pointOf(at: number, buckets: readonly Bucket[] | null): Point {
  const all = emptyBucket();
  const samples: Sample[] = [];
  for (const bucket of buckets ?? []) {
    mergeBucket(all, bucket);
    if (bucket.sample !== null) samples.push(bucket.sample);
  }
  const { created, started, completed, failed, dead } = all;
  const nothing = { created: null, started: null, completed: null, failed: null, dead: null };
  const depths = sumOf(samples);
  const oldest = samples.flatMap(({ oldestMs }) => oldestMs ?? []);
  return {
    at: isoTime(at),
    ...(buckets === null ? nothing : { created, started, completed, failed, dead }),
    wait_ms: percentiles(all.wait),
    run_ms: percentiles(all.run),
    depth: depths?.pending ?? null,
    retrying: depths?.retrying ?? null,
    depths,
    oldest_pending_age: oldest.length === 0 ? null : Math.max(...oldest) / 1000,
  };
}

function sumOf(samples: readonly Sample[]): Point['depths'] {
  if (samples.length === 0) return null;
  const sum = { scheduled: 0, blocked: 0, pending: 0, processing: 0, retrying: 0, failed: 0 };
  for (const { depths } of samples) for (const status of SAMPLED_STATUSES) sum[status] += depths[status];
  return sum;
}
