/**
 * `--save`: keeps the figures of a run in bench/baseline.json, and writes them into docs/performance.md, between its
 * marks, with the machine and the command that printed them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SUBJECTS } from './measures';
import { type Figures, type Measure, median, spread } from './report';
import { type Judged, targetTable } from './targets';

const BASELINE = join(process.cwd(), 'bench/baseline.json');
const PAGE = join(process.cwd(), 'docs/performance.md');
const BEGIN = '<!-- figures: written by `npm run bench -- --peers --save` -->';
const END = '<!-- end of figures -->';

export interface Run {
  machine: string;
  command: string;
  /** ISO date. */
  at: string;
  repetitions: number;
  tasks: number;
}

export function publish(run: Run, figures: Figures, judged: readonly Judged[]): void {
  const measures = figures.measures.map(({ values, ...measure }) => ({
    ...measure,
    values: Object.fromEntries(values),
  }));
  writeFileSync(BASELINE, `${JSON.stringify({ ...run, measures, targets: judged }, null, 2)}\n`);
  const page = readFileSync(PAGE, 'utf8');
  const [before = '', rest = ''] = page.split(BEGIN);
  const [, after = ''] = rest.split(END);
  const text = [
    heading(run),
    '### Targets',
    targetTable(judged),
    ...plots(figures),
    '### Everything',
    ...tables(figures),
  ];
  writeFileSync(PAGE, `${before}${BEGIN}\n\n${text.join('\n\n')}\n\n${END}${after}`);
}

const heading = ({ machine, command, at, repetitions, tasks }: Run): string =>
  `\`${command}\`, ${at}: ${machine}; ${repetitions} repetitions of ${tasks} tasks. Medians [range]; ratios are paired within a repetition.`;

/** Bars, as GitHub and GitLab draw them from text. */
function plots(figures: Figures): string[] {
  const compared = figures.measures.filter(({ name, values }) => values.size > 1 && name.startsWith('process no-op'));
  return compared.map(({ name, values }) => {
    const bars = [...values].map(([subject, its]) => [subject, Math.round(median(its))] as const);
    return [
      '```mermaid',
      'xychart-beta horizontal',
      `  title "${name}: tasks a second"`,
      `  x-axis [${bars.map(([subject]) => `"${subject}"`).join(', ')}]`,
      `  bar [${bars.map(([, rate]) => rate).join(', ')}]`,
      '```',
    ].join('\n');
  });
}

function tables(figures: Figures): string[] {
  const compared = figures.measures.filter(({ values }) => values.size > 1);
  const alone = figures.measures.filter(({ values }) => values.size === 1);
  const subjects = [...new Set(compared.flatMap(({ values }) => [...values.keys()]))];
  const row = ({ name, unit, values }: Measure) =>
    `| ${name} (${unit}) | ${subjects.map((subject) => cell(figures, name, subject, values.get(subject))).join(' | ')} |`;
  const head = [`| | ${subjects.join(' | ')} |`, `| --- |${' --- |'.repeat(subjects.length)}`];
  const ours = alone.map(
    ({ name, unit, values }) => `| ${name} (${unit}) | ${spread(values.get(SUBJECTS.ours) ?? [])} |`,
  );
  return [
    ...(compared.length > 0 ? [[...head, ...compared.map(row)].join('\n')] : []),
    ...(ours.length > 0 ? [['| Millrace alone | |', '| --- | --- |', ...ours].join('\n')] : []),
  ];
}

function cell(figures: Figures, name: string, subject: string, values: readonly number[] | undefined): string {
  if (values === undefined) return '–';
  return subject === SUBJECTS.ours
    ? spread(values)
    : `${spread(values)}, ours ${median(figures.ratios(name, subject)).toFixed(2)} x`;
}
