/** One question about many tasks: what was counted, what is filled in, what the server said. No I/O. */
import type { DryRun } from '#queue/contract/operation';
import type { BulkAction } from './bulk-action';

/** A whole number from 1, or a rate; null where the field is empty, NaN where it holds no such number. */
const numberIn = (text: string, whole: boolean): number | null => {
  if (text.trim() === '') return null;
  const value = Number(text);
  return Number.isFinite(value) && value > 0 && (!whole || Number.isInteger(value)) ? value : Number.NaN;
};

export class BulkStore {
  readonly action: BulkAction;
  plan = $state.raw<DryRun | null>(null);
  /** When it was counted, Unix ms. */
  countedAtMs = $state(0);
  /** The count was another one when it was to begin. */
  moved = $state.raw<{ readonly from: number; readonly to: number } | null>(null);
  starting = $state(false);
  error = $state.raw<unknown>(null);
  /** As typed. */
  rateText = $state('');
  limitText = $state('');
  typed = $state('');
  /** Tasks a second. */
  readonly rate = $derived(numberIn(this.rateText, false));
  readonly limit = $derived(numberIn(this.limitText, true));
  /** How many it will be. */
  readonly count = $derived(Math.min(this.plan?.matched ?? 0, this.limit || Number.POSITIVE_INFINITY));
  readonly valid = $derived(!Number.isNaN(this.rate) && !Number.isNaN(this.limit));

  constructor(action: BulkAction) {
    this.action = action;
  }

  counted(plan: DryRun, atMs: number): void {
    this.plan = plan;
    this.countedAtMs = atMs;
    this.error = null;
  }

  begin(): void {
    this.starting = true;
    this.error = null;
    this.moved = null;
  }

  /** What was agreed to holds no more: it has to be looked at, and typed, again. */
  recounted(plan: DryRun, from: number, atMs: number): void {
    this.counted(plan, atMs);
    this.moved = { from, to: this.count };
    this.typed = '';
    this.starting = false;
  }

  fail(error: unknown): void {
    this.starting = false;
    this.error = error;
  }
}
