/** Figures as tables: medians with their range, and ratios that are paired within one repetition. */
import { SUBJECTS } from './measures';

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

const OURS: string = SUBJECTS.ours;

export interface Measure {
  name: string;
  unit: string;
  /** Whether a larger figure is the better one. */
  moreIsBetter: boolean;
  /** By subject, one value a repetition. */
  values: Map<string, number[]>;
}

/** Every figure of a run, in the order in which its measures first came. */
export class Figures {
  readonly #measures = new Map<string, Measure>();

  get measures(): readonly Measure[] {
    return [...this.#measures.values()];
  }

  add(name: string, unit: string, value: number, of: { subject?: string; moreIsBetter?: boolean } = {}): void {
    const { subject = OURS, moreIsBetter = false } = of;
    const measure = this.#measures.get(name) ?? { name, unit, moreIsBetter, values: new Map<string, number[]>() };
    this.#measures.set(name, measure);
    measure.values.set(subject, [...(measure.values.get(subject) ?? []), value]);
  }

  /** One value a repetition. */
  of(name: string, subject = OURS): readonly number[] {
    return this.#measures.get(name)?.values.get(subject) ?? [];
  }

  /** Ours to the other's, repetition by repetition. */
  ratios(name: string, peer: string): readonly number[] {
    const ours = this.of(name);
    return this.of(name, peer).map((theirs, repetition) => (ours[repetition] ?? Number.NaN) / theirs);
  }
}

/** One line a measure: every subject's figure, and ours against each peer, pair by pair. */
export function printFigures(figures: Figures): void {
  for (const { name, unit, moreIsBetter, values } of figures.measures) {
    console.log(`\n${name} (${unit})`);
    for (const [subject, its] of values) {
      const against =
        subject === OURS
          ? ''
          : `   ours is ${spread(figures.ratios(name, subject))} of it; ${moreIsBetter ? 'more' : 'less'} is better`;
      console.log(`  ${subject.padEnd(22)} ${spread(its).padEnd(24)}${against}`);
    }
  }
}
