import { describe, expect, it } from 'vitest';
import { LIMITS } from '#queue/contract/limits';
import { sumCounts } from '#queue/contract/queue';
import { decodeStep, encodeStep, type Sample, type Step, sampleOf } from '#queue/engine/metric-bucket';
import type { FeedItem, TaskChange } from '#queue/engine/ports';
import { Recorder } from '#queue/engine/recorder';
import { TypeMeter } from '#queue/engine/type-meter';
import { IdFactory } from '#queue/kernel/ids';
import { silentLog } from '#queue/kernel/log';
import { ManualClock, turn } from '../support/manual-clock';

/** Steps as Redis would keep them, as text. */
class Shelf {
  readonly texts = new Map<string, string>();

  async write(stepMs: number, at: number, step: Step, whole: boolean): Promise<void> {
    const key = `${stepMs}:${at}`;
    if (whole || !this.texts.has(key)) this.texts.set(key, encodeStep(step));
  }

  async read(stepMs: number, from: number, to: number): Promise<Map<number, Step>> {
    const found = [...this.texts].map(([key, text]) => ({ key: key.split(':').map(Number), text }));
    return new Map(
      found
        .filter(({ key: [step = 0, at = 0] }) => step === stepMs && at >= from && at < to)
        .map(({ key, text }) => [key[1] ?? 0, decodeStep(text)]),
    );
  }
}

function worldOf(clock = new ManualClock(), shelf = new Shelf()) {
  const ids = new IdFactory(clock);
  const looks = new Map<string, Sample>([['default', sampleOf({ ...sumCounts([]), pending: 3, retrying: 2 }, 4000)]]);
  let listen: (item: FeedItem) => void = () => undefined;
  const recorder = new Recorder({
    clock,
    store: shelf,
    log: silentLog,
    look: async () => looks,
    feed: {
      follow: (listener, signal) => {
        listen = listener;
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      },
    },
  });
  const tell = (change: Partial<TaskChange>) =>
    listen({
      kind: 'changes',
      changes: [
        {
          queue: 'default',
          at: clock.now(),
          event: 'completed',
          id: ids.next('default'),
          type: 'email',
          status: 'completed',
          ...change,
        },
      ],
    });
  const chart = (stepSeconds = 10, rangeSeconds = 60) =>
    recorder.timeseries({ rangeSeconds, stepSeconds, queue: null, depthsOf: null });
  return { clock, shelf, recorder, tell, chart, looks };
}

describe('figures of a queue', () => {
  it('tell how long tasks waited and ran, and how many attempts failed, over five minutes', async () => {
    const { clock, recorder, tell } = worldOf();
    await recorder.start();
    await turn();
    for (let n = 0; n < 3; n++) tell({ startedAt: clock.now() - 100 });
    tell({ event: 'retrying', status: 'retrying', startedAt: clock.now() - 100 });
    const figures = (await recorder.queueFigures()).get('default');
    expect(figures).toMatchObject({ failingShare: 0.25, deadPerHour: 0, out: 0.05 });
    expect(figures?.runMs.p50).toBeGreaterThan(80);
    expect(await recorder.overview()).toMatchObject({ failing_share: 0.25, dead_per_hour: 0 });
    await clock.advance(320_000);
    expect((await recorder.queueFigures()).get('default')).toMatchObject({
      failingShare: null,
      runMs: { p50: null },
      out: 0,
    });
    await recorder.stop();
  });

  it('count entries into the dead-letter queue for an hour, also those that a server before this one saw', async () => {
    const first = worldOf();
    await first.recorder.start();
    await turn();
    first.tell({ event: 'failed', status: 'failed' });
    first.tell({ event: 'expired', status: 'failed' });
    await first.clock.advance(130_000);
    await first.recorder.stop();

    const second = worldOf(first.clock, first.shelf);
    await second.recorder.start();
    await turn();
    expect((await second.recorder.queueFigures()).get('default')?.deadPerHour).toBe(2);
    expect((await second.recorder.overview()).dead_per_hour).toBe(2);
    second.tell({ event: 'failed', status: 'failed' });
    await second.clock.advance(2000);
    expect((await second.recorder.queueFigures()).get('default')?.deadPerHour).toBe(3);
    await second.clock.advance(3_480_000);
    expect((await second.recorder.queueFigures()).get('default')?.deadPerHour).toBe(1);
    await second.recorder.stop();
  });
});

describe('a chart', () => {
  it('has zeros where a server looked and nothing happened, and null where none did', async () => {
    const { clock, recorder, chart } = worldOf();
    expect((await chart()).points.every(({ created, depths }) => created === null && depths === null)).toBe(true);
    await recorder.start();
    await turn();
    await clock.advance(31_000);
    const { points } = await chart();
    expect(points.map(({ created }) => created)).toEqual([null, null, null, 0, 0, 0, 0]);
    expect(points.map(({ dead }) => dead)).toEqual([null, null, null, 0, 0, 0, 0]);
    expect(points.map(({ depth }) => depth)).toEqual([null, null, null, 3, 3, 3, null]);
    await recorder.stop();
    await clock.advance(20_000);
    const later = (await chart()).points;
    expect(later.map(({ created }) => created).at(-1)).toBeNull();
  });

  it('keeps the gap between two servers', async () => {
    const first = worldOf();
    await first.recorder.start();
    await turn();
    await first.clock.advance(31_000);
    await first.recorder.stop();
    await first.clock.advance(29_000);
    const second = worldOf(first.clock, first.shelf);
    await second.recorder.start();
    await turn();
    await second.clock.advance(11_000);
    expect((await second.chart(10, 70)).points.map(({ completed }) => completed)).toEqual([
      0,
      0,
      0,
      null,
      null,
      null,
      0,
      0,
    ]);
    await second.recorder.stop();
  });

  it('tells the depth of every state and the oldest wait, summed over queues', async () => {
    const { clock, recorder, chart, looks } = worldOf();
    looks.set('other', sampleOf({ ...sumCounts([]), pending: 1, failed: 5 }, 9000));
    await recorder.start();
    await turn();
    await clock.advance(11_000);
    const point = (await chart()).points.find(({ depths }) => depths !== null);
    expect(point).toMatchObject({
      depth: 4,
      retrying: 2,
      depths: { scheduled: 0, blocked: 0, pending: 4, processing: 0, retrying: 2, failed: 5 },
      oldest_pending_age: 9,
    });
    await recorder.stop();
  });

  it('tells the depth of single queues beside the sum, zero where a queue held nothing when somebody looked', async () => {
    const { clock, recorder, looks } = worldOf();
    looks.set('other', sampleOf({ ...sumCounts([]), pending: 1 }, null));
    await recorder.start();
    await turn();
    await clock.advance(21_000);
    looks.delete('other');
    await clock.advance(10_000);
    const query = { rangeSeconds: 60, queue: null, depthsOf: ['other', 'default', 'never'] };
    const fine = await recorder.timeseries({ ...query, stepSeconds: 10 });
    expect(fine.queue_depths).toEqual([
      { queue: 'other', depth: [null, null, null, 1, 1, 0, null] },
      { queue: 'default', depth: [null, null, null, 3, 3, 3, null] },
      { queue: 'never', depth: [null, null, null, 0, 0, 0, null] },
    ]);
    // the last look of a step counts, as it does for the sum
    const coarse = await recorder.timeseries({ ...query, stepSeconds: 30 });
    expect(coarse.queue_depths?.map(({ depth }) => depth)).toEqual([
      coarse.points.map(({ depth }) => (depth === null ? null : depth - 3)),
      coarse.points.map(({ depth }) => (depth === null ? null : 3)),
      coarse.points.map(({ depth }) => (depth === null ? null : 0)),
    ]);
    // those of one queue do not depend on which queue the points are of
    const one = await recorder.timeseries({ ...query, stepSeconds: 10, queue: 'other' });
    expect(one.queue_depths).toEqual(fine.queue_depths);
    await recorder.stop();
  });

  it('reads steps that an older version wrote', () => {
    const step = decodeStep('{"default":{"c":[1,2,3,4,5],"w":[],"r":[],"d":7}}');
    expect(step.get('default')).toMatchObject({ created: 1, dead: 5, sample: null });
  });
});

describe('figures of a task type', () => {
  it('are those of its queue only, and begin with the server', async () => {
    const { clock, recorder, tell } = worldOf();
    await recorder.start();
    await turn();
    tell({ event: 'created', status: 'pending' });
    tell({ startedAt: clock.now() - 50 });
    tell({ type: 'image', event: 'failed', status: 'failed', startedAt: clock.now() - 50 });
    tell({ queue: 'other', type: 'image' });
    const { since, types } = await recorder.typeFigures('default');
    expect(since).toBe(new Date(clock.now()).toISOString());
    expect([...types.keys()]).toEqual(['email', 'image']);
    expect(types.get('email')).toMatchObject({ in: 0.02, out: 0.02, failingShare: 0, deadPerHour: 0 });
    expect(types.get('image')).toMatchObject({ failingShare: 1, deadPerHour: 1 });
    await clock.advance(3_700_000);
    expect((await recorder.typeFigures('default')).types.size).toBe(0);
    await recorder.stop();
  });

  it('are kept of a bounded number of types; idle ones make room', async () => {
    const clock = new ManualClock();
    const meter = new TypeMeter(clock);
    const created = (n: number): TaskChange => ({
      queue: 'default',
      at: clock.now(),
      event: 'created',
      id: '',
      type: `t${n}`,
      status: 'pending',
    });
    for (let n = 0; n <= LIMITS.meteredTypes; n++) meter.fold(created(n));
    expect(meter.of('default').size).toBe(LIMITS.meteredTypes);
    await clock.advance(3_600_001);
    meter.fold(created(LIMITS.meteredTypes));
    expect([...meter.of('default').keys()]).toEqual([`t${LIMITS.meteredTypes}`]);
  });
});
