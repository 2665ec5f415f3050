/**
 * How careful a connection wants its operators to be. Read-only and roles are enforced by the server; this decides
 * only what is asked before. Pure.
 */
import type { SafetyLevel, SessionInfo } from '#queue/contract/session';

/** `reversible`: retry, pause, requeue of a few. `bulk`: many at once, or what cannot be taken back. */
export type ActionKind = 'reversible' | 'bulk';

/** Reversible actions on more than so many tasks are bulk. */
export const FEW = 10;

/** `type`: the words of the action are typed before its button works. */
export function confirmationFor(level: SafetyLevel, kind: ActionKind): 'none' | 'ask' | 'type' {
  if (level === 'open') return kind === 'bulk' ? 'ask' : 'none';
  return kind === 'bulk' ? 'type' : 'ask';
}

export const SAFETY_WORDS: Record<SafetyLevel, string> = {
  open: 'Open',
  confirm: 'Confirm',
  guarded: 'Guarded',
  read_only: 'Read-only',
};

/** The environment as titles name it; one that nobody has labelled says so. */
export const placeOf = (info: SessionInfo | null): string =>
  info === null ? 'this connection' : (info.profile.environment ?? 'unlabelled').toUpperCase();
