import { expect, it } from 'vitest';
import { clockFace } from '../../src-renderer/clock-face';
import { durationTicks, shareTicks, stack, timeTicks, valueTicks } from '../../src-renderer/components/chart-ticks';
import { QueueDetailStore } from '../../src-renderer/stores/queue-detail-store.svelte';
import { toCsv } from '../../src-renderer/stores/series-table';

it('puts lines at round values, the last at or above the largest', () => {
  expect(valueTicks(12_482, 3)).toEqual([0, 5000, 10_000, 15_000]);
  expect(valueTicks(118, 2)).toEqual([0, 60, 120]);
  expect(valueTicks(0.044, 2).map((value) => Number(value.toFixed(3)))).toEqual([0, 0.03, 0.06]);
  expect(valueTicks(0, 3)).toEqual([0, 1]);
  for (let max = 0.001; max < 1e9; max *= 1.37) {
    const ticks = valueTicks(max, 3);
    expect(ticks.at(-1)).toBeGreaterThanOrEqual(max * (1 - 1e-9));
    expect(ticks.length).toBeLessThanOrEqual(4);
  }
});

it('does not halve what is counted', () => {
  expect(valueTicks(1, 3, true)).toEqual([0, 1]);
  expect(valueTicks(2, 3, true)).toEqual([0, 1, 2]);
});

it('puts durations at whole minutes and hours', () => {
  expect(durationTicks(280_000, 3)).toEqual([0, 120_000, 240_000, 360_000]);
  expect(durationTicks(900, 3)).toEqual([0, 300, 600, 900]);
  expect(durationTicks(5 * 86_400_000, 3).map((ms) => ms / 86_400_000)).toEqual([0, 2, 4, 6]);
});

it('puts times where the clock of the reader is round', () => {
  const noon = Date.parse('2026-11-19T12:00:00Z') / 1000;
  expect(timeTicks(noon - 3500, noon, 6).map((at) => (at - noon) / 60)).toEqual([-50, -40, -30, -20, -10, 0]);
  const kolkata = 5.5 * 3600;
  expect(timeTicks(noon - 86_400, noon, 4, kolkata).map((at) => ((at + kolkata) / 3600) % 6)).toEqual([0, 0, 0, 0]);
});

it('stacks values, and leaves a gap where any below is not known', () => {
  expect(
    stack([
      [1, null, 3],
      [10, 10, null],
    ]),
  ).toEqual([
    [1, null, 3],
    [11, null, null],
  ]);
});

it('writes CSV that a spreadsheet takes for values: no gap filled, no formula', () => {
  const csv = toCsv(
    [0, 10],
    [
      { label: 'depth a,"b"', values: [1, null] },
      { label: '=1+1', values: [0.5, 2] },
    ],
  );
  expect(csv).toBe('time,"depth a,""b""",\'=1+1\r\n1970-01-01T00:00:00.000Z,1,0.5\r\n1970-01-01T00:00:10.000Z,,2\r\n');
});

it('shows moments of UTC, with the day where it is another', () => {
  const face = clockFace(true);
  const at = Date.parse('2026-11-19T14:47:08Z');
  expect(face.full(at)).toBe('Thu 19 Nov, 14:47:08');
  expect(face.minute(at, at + 3_600_000)).toBe('14:47');
  expect(face.minute(at, at + 86_400_000)).toBe('19 Nov 14:47');
  expect(face.minute(at, at + 10 * 3_600_000)).toBe('19 Nov 14:47'); // past midnight
  expect(face.minute(Date.parse('2026-11-19T23:50:00Z'), Date.parse('2026-11-20T00:15:00Z'))).toBe('23:50');
  expect(face.axis(at, 3_600_000)).toBe('14:47');
  expect(face.axis(at, 7 * 86_400_000)).toBe('Thu 19 Nov');
});

it('ends a scale of shares at all of them, and where none fail at one in a hundred', () => {
  expect(shareTicks(0.99, 3)).toEqual([0, 0.5, 1]);
  expect(shareTicks(0.59, 3)).toEqual([0, 0.2, 0.4, 0.6000000000000001]);
  expect(shareTicks(0, 2).at(-1)).toBe(0.01);
});

it('leaves the step that is still going on out of the charts of a queue', () => {
  const step = { created: 10, completed: 10, depth: 1 };
  const points = [0, 30, 60].map((at) => ({ ...step, at: new Date(at * 1000).toISOString() }));
  const store = new QueueDetailStore();
  store.replace({ range: 60, step: 30, queue: 'q', points } as never, { queue: 'q', types: [] } as never);
  expect(store.series?.points.map(({ at }) => Date.parse(at) / 1000)).toEqual([0, 30]);
});
