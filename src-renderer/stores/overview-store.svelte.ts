/** What the overview reads beside the live system: the last hour in small, the recorder's range, failure groups. No I/O. */
import type { FailureGroup } from '#queue/contract/failure';
import type { Timeseries } from '#queue/contract/queue';
import type { ServerFrame } from '#queue/contract/stream';
import { describeError } from '../net/api-error';
import { type Column, columnsOf, lastZero, restOf, type SeriesColumns } from './series-columns';

export const OVERVIEW_RANGES = [
  { value: '15m', label: '15 m', seconds: 900, words: 'the last 15 minutes' },
  { value: '1h', label: '1 h', seconds: 3600, words: 'the last hour' },
  { value: '6h', label: '6 h', seconds: 21_600, words: 'the last 6 hours' },
  { value: '24h', label: '24 h', seconds: 86_400, words: 'the last 24 hours' },
] as const;
export type OverviewRange = (typeof OVERVIEW_RANGES)[number];

/** As they are named where one is missing. */
export type OverviewSource = 'charts' | 'sparklines' | 'failure groups';

export interface QueueDepth {
  readonly name: string;
  readonly depth: Column;
}

export interface Recording {
  readonly range: OverviewRange;
  readonly total: SeriesColumns;
  /** Worst first. */
  readonly queues: readonly QueueDepth[];
  /** All further queues together; null where there are none. */
  readonly others: Column | null;
}

export interface Completion {
  readonly atMs: number;
  readonly type: string;
  /** Null where its start is not known. */
  readonly tookMs: number | null;
}

export class OverviewStore {
  hour = $state.raw<SeriesColumns | null>(null);
  recording = $state.raw<Recording | null>(null);
  /** Null until they are read. */
  groups = $state.raw<readonly FailureGroup[] | null>(null);
  /** What could not be read last, and why; what was read before stays. */
  failures = $state.raw<ReadonlyMap<OverviewSource, { title: string; detail: string }>>(new Map());
  /** When a queue was last seen empty, Unix ms. */
  readonly emptyAt = $derived.by(() => {
    const found = new Map<string, number>();
    if (this.recording === null) return found;
    const { queues, total } = this.recording;
    for (const { name, depth } of queues) {
      const at = lastZero(total.times, depth, total.step);
      if (at !== null) found.set(name, at * 1000);
    }
    return found;
  });
  /** Not reactive: on a busy server it changes a thousand times a second. Read it once a second. */
  lastCompletion: Completion | null = null;

  putHour(series: Timeseries): void {
    this.hour = columnsOf(series);
  }

  /** @param all with the depths of queues, worst first @param hasMore there are queues beside these */
  putRecording(range: OverviewRange, all: Timeseries, hasMore: boolean): void {
    const total = columnsOf(all);
    const queues = (all.queue_depths ?? []).map(
      ({ queue, depth }): QueueDepth => ({ name: queue, depth: depth.slice(0, total.times.length) }),
    );
    const depths = queues.map(({ depth }) => depth);
    this.recording = { range, total, queues, others: hasMore ? restOf(total.depth, depths) : null };
  }

  putGroups(groups: readonly FailureGroup[]): void {
    this.groups = groups;
  }

  succeed(source: OverviewSource): void {
    if (this.failures.has(source)) this.failures = new Map([...this.failures].filter(([known]) => known !== source));
  }

  fail(source: OverviewSource, thrown: unknown): void {
    this.failures = new Map(this.failures).set(source, describeError(thrown));
  }

  apply(frame: ServerFrame): void {
    if (frame.type !== 'task' || frame.event !== 'completed') return;
    const { task_type, started_at, finished_at } = frame.task;
    this.noteCompletion(task_type, started_at ?? null, finished_at ?? frame.at);
  }

  noteCompletion(type: string, startedAt: string | null, finishedAt: string): void {
    const atMs = Date.parse(finishedAt);
    if (this.lastCompletion !== null && this.lastCompletion.atMs > atMs) return;
    this.lastCompletion = { type, atMs, tookMs: startedAt === null ? null : atMs - Date.parse(startedAt) };
  }
}
