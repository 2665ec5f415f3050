/** The connection in words: for the status bar, and for the banner where something is wrong. Pure. */
import type { ConnectionProfile, SystemState } from '#queue/contract/session';
import { formatBytes, formatDuration, formatMoment, type TimeDisplay, zoneOf } from '../format';
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
  display: TimeDisplay,
): { title: string; detail: string } | null {
  if (live || staleSince === null || now - staleSince < QUIET_MS) return null;
  const since = formatMoment(new Date(staleSince).toISOString(), now, zoneOf(display));
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

/** Redis' clock and that of the server may differ so much before it is said in amber. */
const CLOCK_MS = 2000;
/** Of the memory that Redis may use; above it is said in amber. */
const MEMORY_SHARE = 0.9;

const TOPOLOGIES = { standalone: 'Single', sentinel: 'Sentinel', cluster: 'Cluster' } as const;

/** `Sentinel · TLS · 10.4.2.12:6379` */
export const topologyWords = ({ topology, tls, redis, owned }: ConnectionProfile): string =>
  owned
    ? `Local Redis · ${redis}`
    : [TOPOLOGIES[topology], ...(tls ? ['TLS'] : []), redis.split(',')[0] ?? redis].join(' · ');

/** What the status bar tells beside the connection; nothing that is not known, nothing that is old. */
export function redisFacts(
  { roundTripMs, system }: { roundTripMs: number | null; system: SystemState | null },
  live: boolean,
): { label: string; text: string; warn?: boolean }[] {
  if (!live) return [];
  const facts: { label: string; text: string; warn?: boolean }[] = [];
  if (roundTripMs !== null)
    facts.push({ label: 'From here to the server and back', text: `${Math.round(roundTripMs)} ms` });
  const redis = system?.redis;
  if (redis === undefined || !redis.up) return facts;
  if (redis.latency_ms !== null)
    facts.push({ label: 'From the server to Redis and back', text: `Redis ${redis.latency_ms.toFixed(1)} ms` });
  if (redis.memory_bytes !== null) {
    const most = redis.max_memory_bytes;
    facts.push({
      label: 'Memory that Redis uses',
      text:
        most === null ? formatBytes(redis.memory_bytes) : `${formatBytes(redis.memory_bytes)} of ${formatBytes(most)}`,
      warn: most !== null && redis.memory_bytes > most * MEMORY_SHARE,
    });
  }
  if (redis.clock_offset_ms !== null) {
    const tenths = Math.round(redis.clock_offset_ms / 100);
    facts.push({
      label: 'Clock of Redis minus that of the server',
      text: `clock ${tenths < 0 ? '−' : '+'}${(Math.abs(tenths) / 10).toFixed(1)} s`,
      warn: Math.abs(redis.clock_offset_ms) > CLOCK_MS,
    });
  }
  return facts;
}
