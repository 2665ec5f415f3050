import { describe, expect, it } from 'vitest';
import { Deadlines } from '#worker/deadlines';
import { ManualClock } from '../support/manual-clock';

function setup() {
  const clock = new ManualClock();
  let sleeps = 0;
  const counted = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    sleep: (ms: number, signal?: AbortSignal) => {
      sleeps++;
      return clock.sleep(ms, signal);
    },
  };
  const due: [string, number][] = [];
  const deadlines = new Deadlines(counted);
  const plan = (ms: number, name: string) => deadlines.after(ms, () => due.push([name, clock.monotonic()]));
  return { clock, deadlines, plan, due, sleeps: () => sleeps };
}

describe('deadlines', () => {
  it('come due in their order, whatever order they were set in', async () => {
    const { clock, plan, due } = setup();
    plan(300, 'c');
    plan(100, 'a');
    plan(200, 'b');
    await clock.advance(1_000);
    expect(due).toEqual([
      ['a', 100],
      ['b', 200],
      ['c', 300],
    ]);
  });

  it('that are cancelled never come, and are not kept', async () => {
    const { clock, deadlines, plan, due } = setup();
    const entries = Array.from({ length: 100 }, (_, i) => plan(100 + i, `${i}`));
    for (const entry of entries.slice(1)) entry.cancel();
    expect(deadlines.size).toBe(1);
    await clock.advance(1_000);
    expect(due).toEqual([['0', 100]]);
    expect(deadlines.size).toBe(0);
  });

  it('share one sleep while each is later than the one before', () => {
    const { plan, sleeps } = setup();
    for (let i = 0; i < 1_000; i++) plan(100 + i, `${i}`);
    expect(sleeps()).toBe(1);
  });

  it('may be set while others come due', async () => {
    const { clock, deadlines, due, plan } = setup();
    deadlines.after(100, () => plan(50, 'later'));
    plan(500, 'last');
    await clock.advance(1_000);
    expect(due).toEqual([
      ['later', 150],
      ['last', 500],
    ]);
  });

  it('are all forgotten when cleared', async () => {
    const { clock, deadlines, plan, due } = setup();
    plan(100, 'a');
    deadlines.clear();
    await clock.advance(1_000);
    expect(due).toEqual([]);
    plan(100, 'b');
    await clock.advance(1_000);
    expect(due).toEqual([['b', 1_100]]);
  });
});
