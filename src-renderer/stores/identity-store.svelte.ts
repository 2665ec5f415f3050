/** Whom the console talks to, what the caller may do there, and how Redis does. Folds answers and frames, no I/O. */
import { type RouteName, routes } from '#queue/contract/http-routes';
import type { SafetyLevel, SafetyState, SessionInfo, SystemState } from '#queue/contract/session';
import type { ServerFrame } from '#queue/contract/stream';

export class IdentityStore {
  /** Null until the server has told. */
  info = $state.raw<SessionInfo | null>(null);
  safety = $state.raw<SafetyState | null>(null);
  system = $state.raw<SystemState | null>(null);
  /** Of a request from here to the server and back, ms. */
  roundTripMs = $state<number | null>(null);
  readonly level = $derived<SafetyLevel>(this.safety?.level ?? 'open');
  readonly locked = $derived(this.safety?.locked ?? false);

  replace(info: SessionInfo, roundTripMs: number): void {
    this.info = info;
    this.safety = info.safety;
    this.roundTripMs = roundTripMs;
  }

  /** @returns whether what the caller may do has changed, and is to be asked for again */
  apply(frame: ServerFrame): boolean {
    if (frame.type === 'snapshot' && frame.system !== undefined) this.system = frame.system;
    if (frame.type === 'system') this.system = { redis: frame.redis, at: frame.at };
    if (frame.type !== 'session') return false;
    this.safety = frame.safety;
    return true;
  }

  /** @returns why the server would refuse this now, in a few words; null where it would not */
  refusal(route: RouteName): string | null {
    const { info } = this;
    if (info === null) return null;
    if (this.locked && !('whileReadOnly' in routes[route])) return 'Read-only: unlock first';
    if (info.capabilities.includes(route)) return null;
    const { role } = routes[route];
    return info.capabilities.length === 0 && this.locked ? 'Read-only: unlock first' : `Needs the role ${role}`;
  }
}
