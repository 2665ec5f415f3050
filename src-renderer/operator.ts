/**
 * How careful an operator has to be here, and what may be done now: the one place that views ask.
 */
import type { RouteName } from '#queue/contract/http-routes';
import type { SafetyLevel } from '#queue/contract/session';
import type { Session } from './session.svelte';

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

export const levelOf = (session: Session): SafetyLevel => session.safetyLevel;

/** Why a writing route is refused now; null where it may be tried. */
export const refusalOf = (session: Session, route: RouteName): string | null => session.refusal(route);

/** The environment as titles name it: LOCAL, or the host of a server that nobody has labelled. */
export function placeOf(session: Session): string {
  const { hostname, host } = new URL(session.baseUrl);
  return LOOPBACK.test(hostname) ? 'LOCAL' : host;
}
