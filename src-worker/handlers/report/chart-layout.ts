/**
 * A chart as lines, boxes and words at their places: HTML draws them as SVG, PDF with its own strokes, and both look
 * alike. Coordinates are points from the top left.
 */
import { type Chart, formatNumber, seriesColour } from './model';

export type Shape =
  | { kind: 'line'; x1: number; y1: number; x2: number; y2: number; colour: string; width: number }
  | { kind: 'box'; x: number; y: number; width: number; height: number; colour: string; title: string }
  | { kind: 'path'; points: [number, number][]; colour: string }
  | { kind: 'dot'; x: number; y: number; colour: string; title: string }
  | {
      kind: 'word';
      x: number;
      y: number;
      text: string;
      anchor: 'start' | 'middle' | 'end';
      size: number;
      colour: string;
    };

const GRID = '#dfe4ea';
const AXIS = '#8a95a3';
const WORDS = '#4a5563';
const FONT_SIZE = 8;
const LEFT = 52;
const RIGHT = 8;
const TOP = 10;
const BOTTOM = 24;
const LEGEND = 18;
const WANTED_TICKS = 5;
/** Of a label at the bottom. */
const LABEL_WIDTH = 64;
const LABEL_CHARS = 14;
/** Dots are drawn on lines of up to so many points. */
const MAX_DOTS = 60;

interface Frame {
  left: number;
  top: number;
  right: number;
  bottom: number;
  y(value: number): number;
}

export function layoutChart(chart: Chart, width: number, height: number): Shape[] {
  const values = chart.series.flatMap((series) => series.values).filter((value) => value !== null);
  const ticks = chooseTicks(Math.min(0, ...values), Math.max(0, ...values));
  const low = ticks[0] ?? 0;
  const high = ticks.at(-1) ?? 1;
  const top = TOP + (chart.series.length > 1 ? LEGEND : 0);
  const bottom = height - BOTTOM;
  const frame: Frame = {
    left: LEFT,
    right: width - RIGHT,
    top,
    bottom,
    y: (value) => bottom - ((value - low) / (high - low)) * (bottom - top),
  };
  const marks = chart.kind === 'bar' ? layoutBars(chart, frame) : layoutLines(chart, frame);
  return [...layoutGrid(ticks, frame), ...marks, ...layoutLabels(chart, frame), ...layoutLegend(chart, frame)];
}

/** Round numbers from below the lowest value to above the highest, four to eight of them. */
export function chooseTicks(low: number, high: number): number[] {
  const span = high - low || 1;
  const rough = span / WANTED_TICKS;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * magnitude >= rough) ?? 10) * magnitude;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function layoutGrid(ticks: readonly number[], { left, right, y }: Frame): Shape[] {
  return ticks.flatMap((tick): Shape[] => [
    {
      kind: 'line',
      x1: left,
      y1: y(tick),
      x2: right,
      y2: y(tick),
      colour: tick === 0 ? AXIS : GRID,
      width: tick === 0 ? 1 : 0.5,
    },
    {
      kind: 'word',
      x: left - 6,
      y: y(tick) + FONT_SIZE / 3,
      text: tickLabel(tick, ticks),
      anchor: 'end',
      size: FONT_SIZE,
      colour: WORDS,
    },
  ]);
}

const UNITS = [
  { size: 1e9, name: 'G' },
  { size: 1e6, name: 'M' },
  { size: 1e3, name: 'k' },
] as const;

/** All ticks in the same unit, so that they can be compared at a glance. */
function tickLabel(tick: number, ticks: readonly number[]): string {
  const largest = Math.max(...ticks.map(Math.abs));
  const unit = UNITS.find(({ size }) => largest >= 10 * size);
  return unit === undefined || tick === 0 ? String(tick) : `${formatNumber(tick / unit.size)}${unit.name}`;
}

const pointTitle = (name: string, label: string, value: number) => `${name}, ${label}: ${formatNumber(value)}`;

function layoutBars({ labels, series }: Chart, { left, right, y }: Frame): Shape[] {
  const slot = (right - left) / Math.max(1, labels.length);
  const barWidth = (slot * 0.72) / series.length;
  return series.flatMap(({ name, values }, s) =>
    values.flatMap((value, i): Shape[] => {
      if (value === null) return [];
      const from = Math.min(y(0), y(value));
      const x = left + slot * (i + 0.14) + barWidth * s;
      const title = pointTitle(name, labels[i] ?? '', value);
      return [
        { kind: 'box', x, y: from, width: barWidth, height: Math.abs(y(value) - y(0)), colour: seriesColour(s), title },
      ];
    }),
  );
}

/** A missing value is a gap in its line. */
function layoutLines({ labels, series }: Chart, { left, right, y }: Frame): Shape[] {
  const slot = (right - left) / Math.max(1, labels.length);
  return series.flatMap(({ name, values }, s) => {
    const colour = seriesColour(s);
    const paths: [number, number][][] = [[]];
    const dots: Shape[] = [];
    for (const [i, value] of values.entries()) {
      if (value === null) {
        paths.push([]);
        continue;
      }
      const point: [number, number] = [left + slot * (i + 0.5), y(value)];
      paths.at(-1)?.push(point);
      if (values.length <= MAX_DOTS)
        dots.push({ kind: 'dot', x: point[0], y: point[1], colour, title: pointTitle(name, labels[i] ?? '', value) });
    }
    return [
      ...paths.filter((points) => points.length > 1).map((points): Shape => ({ kind: 'path', points, colour })),
      ...dots,
    ];
  });
}

function layoutLabels({ labels }: Chart, { left, right, bottom }: Frame): Shape[] {
  const slot = (right - left) / Math.max(1, labels.length);
  const every = Math.max(1, Math.ceil(LABEL_WIDTH / slot));
  return labels.flatMap((label, i): Shape[] =>
    i % every === 0
      ? [
          {
            kind: 'word',
            x: left + slot * (i + 0.5),
            y: bottom + 13,
            text: shorten(label),
            anchor: 'middle',
            size: FONT_SIZE,
            colour: WORDS,
          },
        ]
      : [],
  );
}

function shorten(label: string): string {
  const characters = [...label];
  return characters.length > LABEL_CHARS ? `${characters.slice(0, LABEL_CHARS - 1).join('')}…` : label;
}

function layoutLegend({ series }: Chart, { left, right }: Frame): Shape[] {
  if (series.length < 2) return [];
  const slot = (right - left) / series.length;
  return series.flatMap(({ name }, s): Shape[] => [
    { kind: 'box', x: left + slot * s, y: 4, width: 8, height: 8, colour: seriesColour(s), title: name },
    {
      kind: 'word',
      x: left + slot * s + 12,
      y: 11,
      text: shorten(name),
      anchor: 'start',
      size: FONT_SIZE,
      colour: WORDS,
    },
  ]);
}
