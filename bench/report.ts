/** Figures as tables: medians with their range, and ratios that are paired within one repetition. */
export const median = (values: readonly number[]): number => quantile(values, 0.5);

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

const short = (value: number): string =>
  value >= 10_000
    ? `${Math.round(value / 1000)}k`
    : value >= 1000
      ? `${(value / 1000).toFixed(1)}k`
      : value >= 100
        ? value.toFixed(0)
        : value.toFixed(2);

/** `median [least..most]` */
export const spread = (values: readonly number[]): string =>
  `${short(median(values))} [${short(Math.min(...values))}..${short(Math.max(...values))}]`;

export interface Measure {
  name: string;
  unit: string;
  /** Whether a larger figure is the better one: the ratio is then ours to theirs. */
  moreIsBetter: boolean;
  /** By subject, one value a repetition. */
  values: Map<string, number[]>;
}

/** One line a measure: every subject's figure, and ours against each peer, pair by pair. */
export function printMeasures(measures: readonly Measure[], ours: string): void {
  for (const { name, unit, moreIsBetter, values } of measures) {
    console.log(`\n${name} (${unit})`);
    const mine = values.get(ours) ?? [];
    for (const [subject, figures] of values) {
      const ratios = figures.map((theirs, index) => (mine[index] ?? Number.NaN) / theirs);
      const against =
        subject === ours ? '' : `   ours is ${spread(ratios)} of it; ${moreIsBetter ? 'more' : 'less'} is better`;
      console.log(`  ${subject.padEnd(22)} ${spread(figures).padEnd(24)}${against}`);
    }
  }
}
