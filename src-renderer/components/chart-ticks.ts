/** Where a chart's lines stand: round values, and times that are round on the reader's clock. Pure. */

const ROUND = [1, 2, 3, 4, 5, 6, 8, 10];
const DAY_S = 86_400;
const STEPS_S = [10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, DAY_S, 2 * DAY_S];

/** Zero and at most `most` values above it; the last is at or above `max`. `whole`: for what is counted. */
export function valueTicks(max: number, most: number, whole = false): number[] {
  if (max <= 0) return [0, 1];
  const power = 10 ** Math.floor(Math.log10(max / most));
  const sizes = [...ROUND, ...ROUND.map((size) => size * 10)].map((size) => size * power);
  const step = sizes.find((size) => (!whole || size >= 1) && Math.ceil(max / size - 1e-9) <= most) ?? max;
  const count = Math.max(1, Math.ceil(max / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

/** The same for what is counted: no halves. */
export const countTicks = (max: number, most: number): number[] => valueTicks(max, most, true);

/** The same for shares: where nothing fails, the scale ends at one in a hundred, and never beyond all of them. */
export function shareTicks(max: number, most: number): number[] {
  const ticks = valueTicks(Math.max(max, 0.01), most);
  return (ticks.at(-1) ?? 0) > 1 ? [0, 0.5, 1] : ticks;
}

const SECOND_MS = 1000;
const ROUND_MS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200].map(
  (seconds) => seconds * SECOND_MS,
);

/** The same for milliseconds: from a second on, round in minutes and hours. */
export function durationTicks(max: number, most: number): number[] {
  if (max < 2 * SECOND_MS) return valueTicks(max, most);
  const step = ROUND_MS.find((size) => Math.ceil(max / size) <= most);
  if (step === undefined) return valueTicks(max / (DAY_S * SECOND_MS), most).map((days) => days * DAY_S * SECOND_MS);
  return Array.from({ length: Math.ceil(max / step) + 1 }, (_, index) => index * step);
}

/**
 * Round times between two Unix seconds, at most `most` of them.
 * @param offset what the reader's clock is ahead of UTC, in seconds
 */
export function timeTicks(from: number, to: number, most: number, offset = 0): number[] {
  const step = STEPS_S.find((size) => (to - from) / size <= Math.max(1, most)) ?? Math.max(1, to - from);
  const ticks: number[] = [];
  for (let at = Math.ceil((from + offset) / step) * step - offset; at <= to; at += step) ticks.push(at);
  return ticks;
}

/** Each series on top of those before it; null where any of them is not known. */
export function stack(series: readonly (readonly (number | null)[])[]): (number | null)[][] {
  let below: readonly (number | null)[] | null = null;
  return series.map((values) => {
    const sums: (number | null)[] = values.map((value, index) => {
      const base: number | null = below === null ? 0 : (below[index] ?? null);
      return value === null || base === null ? null : base + value;
    });
    below = sums;
    return sums;
  });
}
