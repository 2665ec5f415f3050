import { describe, expect, it } from 'vitest';
import {
  Autoscaler,
  DOWN_AFTER_MS,
  SAMPLE_EVERY_MS,
  type Scalable,
  ScaleDecider,
  type ScaleSample,
  UP_AFTER_MS,
} from '#main/pools/autoscaler';
import { silentLog } from '#queue/kernel/log';

const limits = { min: 1, max: 4, targetMs: 1000, concurrency: 10 };
const sample = (at: number, oldestAgeMs: number | null, change: Partial<ScaleSample> = {}): ScaleSample => ({
  at,
  oldestAgeMs,
  runningTasks: 0,
  processes: 2,
  ...change,
});

describe('the decision on the size of a pool', () => {
  it('adds one process when the oldest task has been late for a while, then waits again', () => {
    const decider = new ScaleDecider();
    expect(decider.decide(sample(0, 1001), limits)).toBe(2);
    expect(decider.decide(sample(UP_AFTER_MS - 1, 2000), limits)).toBe(2);
    expect(decider.decide(sample(UP_AFTER_MS, 2000), limits)).toBe(3);
    expect(decider.decide(sample(UP_AFTER_MS + 1, 2000, { processes: 3 }), limits)).toBe(3);
    expect(decider.decide(sample(2 * UP_AFTER_MS, 2000, { processes: 3 }), limits)).toBe(4);
    expect(decider.decide(sample(4 * UP_AFTER_MS, 9000, { processes: 4 }), limits)).toBe(4);
  });

  it('forgets that it was late when it is not any more', () => {
    const decider = new ScaleDecider();
    decider.decide(sample(0, 1001), limits);
    decider.decide(sample(1000, 500), limits);
    expect(decider.decide(sample(UP_AFTER_MS, 1001), limits)).toBe(2);
  });

  it('takes one process away only after a long calm, and never below the least', () => {
    const decider = new ScaleDecider();
    expect(decider.decide(sample(0, null), limits)).toBe(2);
    expect(decider.decide(sample(DOWN_AFTER_MS - 1, null), limits)).toBe(2);
    expect(decider.decide(sample(DOWN_AFTER_MS, 100), limits)).toBe(1);
    expect(decider.decide(sample(3 * DOWN_AFTER_MS, null, { processes: 1 }), limits)).toBe(1);
  });

  it('changes nothing between calm and late, nor while the tasks that run would not fit in fewer', () => {
    const decider = new ScaleDecider();
    for (let at = 0; at <= 3 * DOWN_AFTER_MS; at += SAMPLE_EVERY_MS)
      expect(decider.decide(sample(at, 500), limits)).toBe(2);
    const busy = new ScaleDecider();
    for (let at = 0; at <= 3 * DOWN_AFTER_MS; at += SAMPLE_EVERY_MS) {
      expect(busy.decide(sample(at, null, { runningTasks: 11 }), limits)).toBe(2);
    }
  });

  it('wakes a pool that sleeps with no process at all', () => {
    const asleep = { ...limits, min: 0 };
    expect(new ScaleDecider().decide(sample(0, 5, { processes: 0 }), asleep)).toBe(1);
    expect(new ScaleDecider().decide(sample(0, null, { processes: 0 }), asleep)).toBe(0);
  });

  it('obeys new bounds at once', () => {
    expect(new ScaleDecider().decide(sample(0, null, { processes: 9 }), limits)).toBe(4);
    expect(new ScaleDecider().decide(sample(0, null, { processes: 0 }), limits)).toBe(1);
  });
});

describe('the autoscaler', () => {
  it.each([
    ['its queues', [{ name: 'a' }, { name: 'b' }]],
    ['every queue', [{ name: '*' }]],
  ])(
    'looks at the oldest task over %s, leaves pools without it alone, and survives a failed look',
    async (_, queues) => {
      let now = 0;
      let looks = 0;
      let end: () => void = () => undefined;
      const ended = new Promise<void>((resolve) => {
        end = resolve;
      });
      const clock = {
        now: () => now,
        monotonic: () => now,
        sleep: async (ms: number, signal?: AbortSignal) => {
          now += ms;
          await Promise.resolve();
          if (now > 20_000 || signal?.aborted) {
            end();
            await new Promise<void>((resolve) =>
              signal?.aborted ? resolve() : signal?.addEventListener('abort', () => resolve(), { once: true }),
            );
          }
        },
      };
      const poolOf = (autoscale: Scalable['spec']['autoscale']): Scalable & { size: number } => ({
        spec: { id: autoscale ? 'auto' : 'fixed', queues, concurrency: 1, autoscale },
        size: 1,
        runningTasks: 1,
        scaleTo(processes) {
          this.size = processes;
        },
      });
      const auto = poolOf({ min: 1, max: 3, target_latency: 1 });
      const fixed = poolOf(null);
      const scaler = new Autoscaler({
        pools: () => [auto, fixed],
        oldestAgeMs: async (queue) => {
          looks++;
          if (looks === 1) throw new Error('Redis went away');
          return queue === 'b' ? 5000 : null;
        },
        queueNames: async () => ['a', 'b', 'c'],
        clock,
        log: silentLog,
      });
      await scaler.start();
      await ended;
      await scaler.stop();
      expect(auto.size).toBe(3);
      expect(fixed.size).toBe(1);
    },
  );
});
