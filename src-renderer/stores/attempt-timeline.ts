/**
 * Where the parts of a task's life stand on a line of so many pixels. Real scale; only a wait that would make the rest
 * unreadable is cut, and shown as cut. Pure.
 */
import type { Attempt, AttemptOutcome } from './task-attempts';

export type SpanKind = 'wait' | 'run' | 'backoff' | 'coming' | 'next';

export interface Span {
  readonly kind: SpanKind;
  readonly x: number;
  readonly width: number;
  readonly outcome: AttemptOutcome | null;
  /** Number of the execution, of `run` and `next`. */
  readonly attempt: number | null;
  /** Unix ms; `next` has no end. */
  readonly from: number;
  readonly to: number | null;
  /** Longer than it is drawn. */
  readonly cut: boolean;
}

export interface Timeline {
  readonly spans: readonly Span[];
  /** Null once the task is final. */
  readonly nowX: number | null;
}

export interface TimelineInput {
  readonly createdAt: string;
  readonly attempts: readonly Attempt[];
  /** When the next execution comes due; null where none is known. */
  readonly nextAt: string | null;
  /** No execution comes any more. */
  readonly over: boolean;
  /** Unix ms. */
  readonly now: number;
  /** px */
  readonly width: number;
}

const NEXT_PX = 44;
const CUT_PX = 40;
const RUN_MIN_PX = 3;
/** A wait that is so many times longer than all the rest is cut. */
const CUT_TIMES = 4;

interface Draft {
  kind: SpanKind;
  from: number;
  to: number;
  outcome: AttemptOutcome | null;
  attempt: number | null;
}

export function layOut(input: TimelineInput): Timeline {
  const { attempts, over, width } = input;
  const drafts = draftsOf(input);
  const cut = cutsOf(drafts);
  const hasNext = !over && attempts.at(-1)?.outcome !== 'running';
  const room = width - (hasNext ? NEXT_PX : 0) - cut.size * CUT_PX;
  const shownMs = drafts.filter((draft) => !cut.has(draft)).reduce((sum, { from, to }) => sum + to - from, 0);
  const short = (draft: Draft) =>
    draft.kind === 'run' && (draft.to - draft.from) * (room / (shownMs || 1)) < RUN_MIN_PX;
  const tiny = drafts.filter(short);
  const tinyMs = tiny.reduce((sum, { from, to }) => sum + to - from, 0);
  const perMs = Math.max(0, room - tiny.length * RUN_MIN_PX) / (shownMs - tinyMs || 1);
  const spans: Span[] = [];
  let x = 0;
  let nowX: number | null = null;
  for (const draft of drafts) {
    const isCut = cut.has(draft);
    const px = isCut ? CUT_PX : short(draft) ? RUN_MIN_PX : (draft.to - draft.from) * perMs;
    if (draft.kind === 'coming') nowX = x;
    spans.push({ ...draft, x, width: px, cut: isCut });
    x += px;
  }
  if (!over) nowX ??= x;
  if (hasNext) {
    const attempt = (attempts.at(-1)?.number ?? 0) + 1;
    const from = input.nextAt === null ? input.now : Date.parse(input.nextAt);
    spans.push({ kind: 'next', x, width: NEXT_PX, outcome: null, attempt, from, to: null, cut: false });
  }
  return { spans, nowX };
}

function draftsOf({ createdAt, attempts, nextAt, over, now }: TimelineInput): Draft[] {
  const drafts: Draft[] = [];
  let at = Date.parse(createdAt);
  let idle: SpanKind = 'wait';
  const push = (kind: SpanKind, to: number, outcome: AttemptOutcome | null = null, attempt: number | null = null) => {
    if (to > at) drafts.push({ kind, from: at, to, outcome, attempt });
    at = Math.max(at, to);
  };
  for (const { startedAt, endedAt, outcome, number } of attempts) {
    push(idle, Date.parse(startedAt));
    const end = endedAt === null ? Math.max(now, at + 1) : Math.max(Date.parse(endedAt), at + 1);
    push('run', end, outcome, number);
    idle = outcome === 'failed' ? 'backoff' : 'wait';
  }
  if (over || attempts.at(-1)?.outcome === 'running') return drafts;
  push(idle, now);
  if (nextAt !== null) push('coming', Date.parse(nextAt));
  return drafts;
}

function cutsOf(drafts: readonly Draft[]): Set<Draft> {
  const cut = new Set<Draft>();
  for (;;) {
    const shown = drafts.filter((draft) => !cut.has(draft));
    const total = shown.reduce((sum, { from, to }) => sum + to - from, 0);
    const longest = shown
      .filter(({ kind }) => kind !== 'run')
      .reduce<Draft | null>(
        (most, draft) => (most && most.to - most.from >= draft.to - draft.from ? most : draft),
        null,
      );
    const length = longest === null ? 0 : longest.to - longest.from;
    if (longest === null || shown.length < 2 || length <= (total - length) * CUT_TIMES) return cut;
    // the last wait is what the line is about: cutting it as well would leave no scale
    if (shown.filter(({ kind }) => kind !== 'run').length < 2) return cut;
    cut.add(longest);
  }
}
