/**
 * How careful an operator has to be here, and what may be done now: the one place that views ask. Nothing tells it yet,
 * so every connection is open and everything may be tried; the server refuses what it does not allow.
 */
import type { RouteName } from '#queue/contract/http-routes';
import type { SafetyLevel } from './safety';
import type { Session } from './session.svelte';

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

export const levelOf = (_session: Session): SafetyLevel => 'open';

/** Why a writing route is refused now; null where it may be tried. */
export const refusalOf = (_session: Session, _route: RouteName): string | null => null;

/** The environment as titles name it: LOCAL, or the host of a server that nobody has labelled. */
export function placeOf(session: Session): string {
  const { hostname, host } = new URL(session.baseUrl);
  return LOOPBACK.test(hostname) ? 'LOCAL' : host;
}
