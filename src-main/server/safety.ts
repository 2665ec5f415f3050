/**
 * Safe mode, as the API holds it: the one place that knows whether writing is refused. An unlock lives in this process
 * and ends by itself: by the wall clock or by the steady one, whichever is first, so that neither a clock that is set back
 * nor a machine that sleeps makes it longer.
 */
import { QueueError } from '#queue/contract/errors';
import { isWrite, type Route, roleIncludes } from '#queue/contract/http';
import { type RouteName, routes } from '#queue/contract/http-routes';
import { isoTime } from '#queue/contract/primitives';
import type { SafetyLevel, SafetyState } from '#queue/contract/session';
import type { Clock } from '#queue/kernel/clock';
import type { Identity } from './auth';
import { invalid } from './problem';

const MINUTE_MS = 60_000;

interface Unlock {
  by: string;
  /** Unix ms. */
  until: number;
  /** By the steady clock. */
  untilMonotonic: number;
}

export class Safety {
  readonly level: SafetyLevel;
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  #unlock: Unlock | null = null;

  constructor(level: SafetyLevel, clock: Clock) {
    this.level = level;
    this.#clock = clock;
  }

  get state(): SafetyState {
    const unlock = this.#live();
    return {
      level: this.level,
      unlocked_until: unlock === null ? null : isoTime(unlock.until),
      unlocked_by: unlock?.by ?? null,
      locked: this.locked,
    };
  }

  get locked(): boolean {
    return this.level === 'read_only' && this.#live() === null;
  }

  /** Called when somebody unlocks or locks; that time has run out nobody calls: who shows it looks at `state`. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  unlock(by: string, minutes: number): SafetyState {
    this.requireLock();
    const ms = minutes * MINUTE_MS;
    this.#unlock = { by, until: this.#clock.now() + ms, untilMonotonic: this.#clock.monotonic() + ms };
    return this.#changed();
  }

  lock(): SafetyState {
    this.requireLock();
    this.#unlock = null;
    return this.#changed();
  }

  /** @throws {QueueError} CONFLICT where there is nothing to unlock or lock */
  requireLock(): void {
    if (this.level === 'read_only') return;
    throw new QueueError('CONFLICT', `only a read-only connection is unlocked and locked; this one is ${this.level}`);
  }

  /** Before anything of a request is read. @throws {QueueError} READ_ONLY */
  checkRoute(route: Route): void {
    if (route.selection === undefined && isWrite(route)) this.#refuseWhileLocked(route);
  }

  /** @param raw the body as it came @throws {QueueError} READ_ONLY, unless it is a dry run of a selection */
  checkRaw(route: Route, raw: unknown): void {
    if (route.selection !== undefined && !isDryRun(raw)) this.#refuseWhileLocked(route);
  }

  /** @param body as its schema has let it through @throws {QueueError} INVALID where a guarded connection wants to know how many */
  checkSelection(route: Route, body: unknown): void {
    const guarded = this.level === 'guarded' || this.level === 'read_only';
    if (!guarded || route.selection === undefined || isDryRun(body)) return;
    const counted = typeof body === 'object' && body !== null && 'expected_count' in body;
    if (counted && body.expected_count !== undefined) return;
    throw invalid([
      { path: 'expected_count', message: 'is required on a guarded connection: how many tasks, as a dry run tells' },
    ]);
  }

  /** The writing routes that this caller may use now, by name. */
  capabilitiesOf({ role }: Identity): RouteName[] {
    return (Object.keys(routes) as RouteName[]).filter((name) => {
      const route: Route = routes[name];
      if (!isWrite(route) || route.planned || (route.role !== 'anyone' && !roleIncludes(role, route.role)))
        return false;
      if (name === 'unlockSession') return this.level === 'read_only';
      if (name === 'lockSession') return this.level === 'read_only' && !this.locked;
      return !this.locked || route.whileReadOnly === 'allowed';
    });
  }

  #refuseWhileLocked({ whileReadOnly }: Route): void {
    if (!this.locked || whileReadOnly === 'allowed') return;
    throw new QueueError(
      'READ_ONLY',
      'nothing was changed: unlock it for some minutes with POST /api/session/unlock and a reason, or ask someone with the role operator',
      { extra: { safety: this.state } },
    );
  }

  #live(): Unlock | null {
    const unlock = this.#unlock;
    if (unlock === null) return null;
    const over = this.#clock.now() >= unlock.until || this.#clock.monotonic() >= unlock.untilMonotonic;
    if (over) this.#unlock = null;
    return this.#unlock;
  }

  #changed(): SafetyState {
    for (const listener of this.#listeners) listener();
    return this.state;
  }
}

const isDryRun = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && 'dry_run' in body && body.dry_run === true;
