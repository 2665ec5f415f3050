/**
 * How Redis does, for everyone who asks in this process: measured at most once in two seconds, and only when somebody
 * asks. That it does not answer is an answer too.
 */
import { isoTime } from '#queue/contract/primitives';
import type { SystemState } from '#queue/contract/session';
import type { Clock } from '#queue/kernel/clock';
import type { RedisProbe } from './ports';
import { Recent } from './recent';

export const SYSTEM_EVERY_MS = 2000;
/** Less than requests are willing to wait for Redis: see redis-watch. */
const PATIENCE_MS = 900;
/** The stream asks every two seconds, and should not get the value of the turn before for a few milliseconds. */
const MAX_AGE_MS = SYSTEM_EVERY_MS - 200;

const DOWN: SystemState['redis'] = {
  up: false,
  latency_ms: null,
  memory_bytes: null,
  max_memory_bytes: null,
  clients: null,
  eviction_policy: null,
  clock_offset_ms: null,
};

export class RedisGauge {
  readonly #redis: RedisProbe;
  readonly #clock: Clock;
  readonly #state: Recent<SystemState>;

  constructor(redis: RedisProbe, clock: Clock) {
    this.#redis = redis;
    this.#clock = clock;
    this.#state = new Recent(() => this.#measure(), MAX_AGE_MS, clock);
  }

  /** Never rejects. */
  get(): Promise<SystemState> {
    return this.#state.get();
  }

  async #measure(): Promise<SystemState> {
    const at = isoTime(this.#clock.now());
    const answered = new AbortController();
    try {
      const redis = await Promise.race([
        this.#redis.vitals().then(
          ({ latencyMs, memoryBytes, maxMemoryBytes, clients, evictionPolicy, clockOffsetMs }) => ({
            up: true,
            latency_ms: Math.round(latencyMs * 100) / 100,
            memory_bytes: memoryBytes,
            max_memory_bytes: maxMemoryBytes,
            clients,
            eviction_policy: evictionPolicy,
            clock_offset_ms: clockOffsetMs === null ? null : Math.round(clockOffsetMs),
          }),
          () => DOWN,
        ),
        this.#clock.sleep(PATIENCE_MS, answered.signal).then(() => DOWN),
      ]);
      return { redis, at };
    } finally {
      answered.abort();
    }
  }
}
