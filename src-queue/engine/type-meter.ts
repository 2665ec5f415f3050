/**
 * Rates, run times and failures of the task types of each queue, from the event stream. In the memory of this server
 * only: in Redis it would cost as many steps of time again as there are types. So they are known since `since`.
 */
import { LIMITS } from '../contract/limits';
import type { Clock } from '../kernel/clock';
import { mapEntry } from '../kernel/map-entry';
import { type Histogram, mergeInto, observe, percentiles } from './histogram';
import { failingShare, type TypeFigures } from './metric-windows';
import type { TaskChange } from './ports';
import { SecondCounts } from './second-counts';

const STEP_MS = 10_000;
const RUN_WINDOW_MS = 300_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

interface RunStep {
  at: number;
  completed: number;
  failed: number;
  run: Histogram;
}

interface Meter {
  runs: RunStep[];
  /** Entries into the dead-letter queue, by minute. */
  dead: { at: number; count: number }[];
  lastAt: number;
}

export class TypeMeter {
  readonly #clock: Clock;
  readonly #rates = new SecondCounts();
  /** By queue, then by type. */
  readonly #meters = new Map<string, Map<string, Meter>>();
  #count = 0;
  #since = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  /** From here on nothing is missed. */
  begin(): void {
    this.#since = this.#clock.now();
  }

  get since(): number {
    return Math.max(this.#since, this.#clock.now() - HOUR_MS);
  }

  fold(change: TaskChange): void {
    const { event, at, queue, type, startedAt } = change;
    const ended = event === 'completed' || event === 'failed' || event === 'cancelled' || event === 'expired';
    const failedAttempt = event === 'retrying' || event === 'lease_lost' || event === 'failed';
    if (!ended && !failedAttempt && event !== 'created') return;
    const meter = this.#meter(queue, type);
    if (!meter) return;
    meter.lastAt = at;
    const name = nameOf(queue, type);
    if (event === 'created') this.#rates.count(name, at, 'created');
    else if (ended) this.#rates.count(name, at, 'ended');
    if (event === 'completed' || failedAttempt) {
      const step = newest(meter.runs, at, STEP_MS, (begin) => ({ at: begin, completed: 0, failed: 0, run: new Map() }));
      step[failedAttempt ? 'failed' : 'completed']++;
      if (startedAt !== undefined) observe(step.run, at - startedAt);
      drop(meter.runs, at - RUN_WINDOW_MS - STEP_MS);
    }
    if (event === 'failed' || event === 'expired') {
      newest(meter.dead, at, MINUTE_MS, (begin) => ({ at: begin, count: 0 })).count++;
      drop(meter.dead, at - HOUR_MS - MINUTE_MS);
    }
  }

  /** Types of which something was seen in the last hour. */
  of(queue: string): ReadonlyMap<string, TypeFigures> {
    const now = this.#clock.now();
    const figures = new Map<string, TypeFigures>();
    for (const [type, { runs, dead, lastAt }] of this.#meters.get(queue) ?? []) {
      if (lastAt < now - HOUR_MS) continue;
      const all: RunStep = { at: 0, completed: 0, failed: 0, run: new Map() };
      for (const step of runs) {
        if (step.at < now - RUN_WINDOW_MS) continue;
        all.completed += step.completed;
        all.failed += step.failed;
        mergeInto(all.run, step.run);
      }
      const name = nameOf(queue, type);
      figures.set(type, {
        in: this.#rates.perSecond(name, 'created', now),
        out: this.#rates.perSecond(name, 'ended', now),
        runMs: percentiles(all.run),
        failingShare: failingShare(all.completed + all.failed === 0 ? undefined : all),
        deadPerHour: dead.reduce((sum, { at, count }) => (at >= now - HOUR_MS ? sum + count : sum), 0),
      });
    }
    return figures;
  }

  /** Undefined where there are too many types to meter another one. */
  #meter(queue: string, type: string): Meter | undefined {
    const types = mapEntry(this.#meters, queue, () => new Map<string, Meter>());
    const known = types.get(type);
    if (known) return known;
    if (this.#count >= LIMITS.meteredTypes) this.#forgetIdle();
    if (this.#count >= LIMITS.meteredTypes) return undefined;
    this.#count++;
    const meter: Meter = { runs: [], dead: [], lastAt: 0 };
    types.set(type, meter);
    return meter;
  }

  #forgetIdle(): void {
    const from = this.#clock.now() - HOUR_MS;
    for (const [queue, types] of this.#meters) {
      for (const [type, { lastAt }] of types) {
        if (lastAt >= from) continue;
        types.delete(type);
        this.#rates.forget(nameOf(queue, type));
        this.#count--;
      }
    }
  }
}

/** Neither has a colon in it. */
const nameOf = (queue: string, type: string): string => `${queue}:${type}`;

/** The step of this moment; one that comes late counts as the newest. */
function newest<Step extends { at: number }>(
  steps: Step[],
  at: number,
  stepMs: number,
  make: (begin: number) => Step,
): Step {
  const last = steps.at(-1);
  const begin = Math.floor(at / stepMs) * stepMs;
  if (last && last.at >= begin) return last;
  const made = make(begin);
  steps.push(made);
  return made;
}

function drop(steps: { at: number }[], before: number): void {
  while ((steps[0]?.at ?? before) < before) steps.shift();
}
