/** How far away is Redis, in time, and do the clocks agree? */
import type { Clock } from '#queue/kernel/clock';
import type { ProbeConnection } from '#queue/redis/probe';
import { type Finding, fail, ok, warn } from './check';

const PINGS = 200;
const MAX_MS = 3_000;
const SLOW_P50_MS = 10;
const SLOW_P99_MS = 50;

export async function checkLatency(connection: ProbeConnection, clock: Clock, pings = PINGS): Promise<Finding> {
  const times: number[] = [];
  const started = clock.monotonic();
  while (times.length < pings && clock.monotonic() - started < MAX_MS) {
    const before = clock.monotonic();
    await connection.ping();
    times.push(clock.monotonic() - before);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  const [p50, p99] = [at(0.5), at(0.99)];
  const text = `PING p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms (${times.length} of them)`;
  if (p50 > SLOW_P50_MS) return warn(text, 'Move workers and API closer to Redis: each task costs a few round trips.');
  if (p99 > SLOW_P99_MS) {
    return warn(text, 'The server pauses at times: look at its CPU, SLOWLOG GET, and transparent huge pages.');
  }
  return ok(text);
}

const OFFSET_WARN_MS = 1_000;
const OFFSET_FAIL_MS = 60_000;

/** The queue itself runs on the clock of Redis alone; an offset shows in `run_at`, in charts and in logs. */
export async function checkClock(connection: ProbeConnection, clock: Clock): Promise<Finding> {
  const before = clock.now();
  const server = await connection.timeMs();
  const offset = server - (before + clock.now()) / 2;
  const text = `Redis is ${Math.abs(offset / 1000).toFixed(3)} s ${offset < 0 ? 'behind' : 'ahead of'} this machine`;
  const cure = 'Let both machines take their time from NTP (chrony, systemd-timesyncd).';
  if (Math.abs(offset) > OFFSET_FAIL_MS) return fail(`${text}: tasks with a run_at start at the wrong time`, cure);
  return Math.abs(offset) > OFFSET_WARN_MS ? warn(text, cure) : ok(text);
}
