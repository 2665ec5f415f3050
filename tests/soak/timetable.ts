/**
 * When each fault of a soak comes. Not by weight but from a deck with fixed counts a minute, so that a run of so many
 * minutes has had so many of each for sure; the seed gives the order and the moments. The end of every minute is quiet.
 */
import type { Seeded } from './seeded';

export const FAULT_NAMES = [
  'worker killed',
  'worker frozen',
  'worker told to stop',
  'Redis killed',
  'Redis frozen',
  'network cut',
  'network swallows all',
  'server killed',
  'clients killed',
  'scripts flushed',
] as const;
export type FaultName = (typeof FAULT_NAMES)[number];

/** Twenty minutes have 120 kills of workers, 24 of Redis, 30 cuts, and 24 freezes each of workers and of Redis. */
const A_MINUTE: Record<FaultName, number> = {
  'worker killed': 6,
  'worker frozen': 1.2,
  'worker told to stop': 1,
  'Redis killed': 1.2,
  'Redis frozen': 1.2,
  'network cut': 1.5,
  'network swallows all': 1,
  'server killed': 1,
  'clients killed': 0.5,
  'scripts flushed': 0.5,
};
const MINUTE_MS = 60_000;
const QUIET_MS = 8000;

export interface Appointment {
  atMs: number;
  name: FaultName;
}

export function planned(minutes: number): Record<FaultName, number> {
  const counts = FAULT_NAMES.map((name) => [name, Math.ceil(A_MINUTE[name] * minutes)] as const);
  return Object.fromEntries(counts) as Record<FaultName, number>;
}

export function timetable(minutes: number, without: readonly FaultName[], seeded: Seeded): Appointment[] {
  const counts = planned(minutes);
  const deck = FAULT_NAMES.filter((name) => !without.includes(name)).flatMap((name) =>
    Array.from({ length: counts[name] }, () => name),
  );
  const loud = (MINUTE_MS - QUIET_MS) / MINUTE_MS;
  const gapMs = (minutes * MINUTE_MS * loud) / deck.length;
  return seeded.shuffle(deck).map((name, n) => {
    const loudMs = (n + seeded.next()) * gapMs;
    const before = Math.floor(loudMs / (MINUTE_MS - QUIET_MS)) * QUIET_MS;
    return { atMs: loudMs + before, name };
  });
}
