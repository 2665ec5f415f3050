/**
 * What Millrace wants to reach against its peers in one run of `npm run bench -- --peers`: below the floor is a defect,
 * the goal is where the design should get. Judged by the median of the ratios, each paired within one repetition.
 */
import { AT_DEPTH, DEEP, growthOf, PAGE_AT_DEPTH, SHALLOW } from './depth';
import { HTTP_SHARE } from './http';
import * as m from './measures';
import { type Figures, median, spread } from './report';

const { prioritised: PRIORITIES, plain: PLAIN, bee: BEE } = m.SUBJECTS;

interface Target {
  what: string;
  /** One value a repetition: ours to the peer's, or ours alone. */
  of: (figures: Figures) => readonly number[];
  unit: string;
  floor: number;
  goal: number;
  moreIsBetter: boolean;
}

const more = (name: string, peer: string, floor: number, goal: number): Target => ({
  what: `${name}, against ${peer}`,
  of: (figures) => figures.ratios(name, peer),
  unit: 'x',
  floor,
  goal,
  moreIsBetter: true,
});
const less = (name: string, peer: string, floor: number, goal: number): Target => ({
  ...more(name, peer, floor, goal),
  moreIsBetter: false,
});
const atMost = (name: string, unit: string, floor: number, goal: number): Target => ({
  what: name,
  of: (figures) => figures.of(name),
  unit,
  floor,
  goal,
  moreIsBetter: false,
});

const TARGETS: readonly Target[] = [
  more(m.processing('noop', 50), PRIORITIES, 4, 8),
  more(m.processing('noop', 50), PLAIN, 2.8, 5),
  more(m.processing('noop', 10), PRIORITIES, 2.2, 3.5),
  more(m.processing('noop', 1), PRIORITIES, 1.4, 2),
  more(m.processing('noop', 50, 2), PRIORITIES, 3, 6),
  more(m.SUBMIT_SINGLY, PRIORITIES, 2, 4.7),
  more(m.SUBMIT_IN_BULK, PRIORITIES, 3.5, 7),
  more(m.processing('flaky', 50), PRIORITIES, 3, 5),
  more(m.processing('noop', 50), BEE, 2, 4),
  less(m.pickup('p50'), PRIORITIES, 0.8, 0.5),
  less(m.pickup('p99'), PRIORITIES, 0.6, 0.3),
  less(m.MEMORY, PRIORITIES, 0.8, 0.6),
  less(m.redisCpu('noop', 50), PRIORITIES, 0.28, 0.12),
  {
    what: `Redis CPU per processed task, from ${SHALLOW} to ${DEEP} pending, grows by`,
    of: (figures) => growthOf(figures, AT_DEPTH.process),
    unit: 'x',
    floor: 1.5,
    goal: 1.2,
    moreIsBetter: false,
  },
  ...PAGE_AT_DEPTH.map((page) => atMost(page, 'ms', 3, 1)),
  {
    what: HTTP_SHARE,
    of: (figures) => figures.of(HTTP_SHARE),
    unit: 'x',
    floor: 0.4,
    goal: 0.7,
    moreIsBetter: true,
  },
];

export interface Judged {
  what: string;
  unit: string;
  floor: number;
  goal: number;
  values: readonly number[];
  verdict: 'goal reached' | 'floor reached' | 'missed';
}

/** Those that were measured. */
export function judge(figures: Figures): Judged[] {
  return TARGETS.flatMap(({ what, of, unit, floor, goal, moreIsBetter }) => {
    const values = of(figures);
    if (values.length === 0) return [];
    const reaches = (bound: number) => (moreIsBetter ? median(values) >= bound : median(values) <= bound);
    const verdict = reaches(goal) ? 'goal reached' : reaches(floor) ? 'floor reached' : 'missed';
    return [{ what, unit, floor, goal, values, verdict } as const];
  });
}

export function targetTable(judged: readonly Judged[]): string {
  const rows = judged.map(
    ({ what, unit, floor, goal, values, verdict }) =>
      `| ${what} | ${floor} ${unit} | ${goal} ${unit} | ${spread(values)} | ${verdict} |`,
  );
  return ['| target | floor | goal | median [range] | |', '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}
