/** The connection in words: for the status bar, and for the banner where something is wrong. Pure. */
import { formatDuration, formatTime } from '../format';
import type { StreamPhase } from '../net/stream-client';

export interface ConnectionState {
  readonly phase: StreamPhase;
  readonly live: boolean;
  readonly everLive: boolean;
  /** Unix ms. */
  readonly staleSince: number | null;
}

/** Below this a loss is not worth a banner: most are over before it is read. */
const QUIET_MS = 1500;

export function connectionWords({ phase, live }: ConnectionState, now: number): string {
  if (live) return 'Live';
  if (phase.name === 'live') return 'Redis is down';
  if (phase.name === 'resyncing') return 'Catching up';
  if (phase.name === 'waiting') return `Reconnecting in ${formatDuration(Math.max(0, phase.retryAt - now))}`;
  return phase.name === 'stopped' ? 'Stopped' : 'Connecting';
}

export function connectionTrouble(
  { phase, live, everLive, staleSince }: ConnectionState,
  now: number,
  host: string,
): { title: string; detail: string } | null {
  if (live || staleSince === null || now - staleSince < QUIET_MS) return null;
  const since = formatTime(new Date(staleSince).toISOString(), now);
  if (phase.name === 'live') {
    return {
      title: `Redis is unreachable since ${since}.`,
      detail: 'What you see is from before; nothing can be submitted.',
    };
  }
  return {
    title: `No connection to ${host} since ${since}.`,
    detail: everLive ? 'What you see is from before.' : '',
  };
}
