/**
 * Steps of time as Redis keeps them, so that charts survive a restart and are the same on every server. Every server
 * folds the same events, so two that saw a whole step write the same bytes: whoever saw only a part of it writes only
 * where nothing stands.
 */
import type { RedisStore } from '../redis/store';
import { decodeStep, encodeStep, type Step } from './metric-bucket';

export const RESOLUTIONS = [
  { stepMs: 10_000, keepMs: 2 * 3_600_000 },
  { stepMs: 60_000, keepMs: 48 * 3_600_000 },
] as const;
const READ_CHUNK = 500;

export class MetricStore {
  readonly #store: RedisStore;

  constructor(store: RedisStore) {
    this.#store = store;
  }

  async write(stepMs: number, at: number, step: Step, whole: boolean, keepMs: number): Promise<void> {
    const key = this.#key(stepMs, at);
    const text = encodeStep(step);
    await this.#store.command('write metrics', (redis) =>
      whole ? redis.set(key, text, 'PX', keepMs) : redis.set(key, text, 'PX', keepMs, 'NX'),
    );
  }

  /** Steps that begin in [from, to), by their beginning. */
  async read(stepMs: number, from: number, to: number): Promise<Map<number, Step>> {
    const times: number[] = [];
    for (let at = Math.ceil(from / stepMs) * stepMs; at < to; at += stepMs) times.push(at);
    const steps = new Map<number, Step>();
    for (let i = 0; i < times.length; i += READ_CHUNK) {
      const chunk = times.slice(i, i + READ_CHUNK);
      const texts = await this.#store.command('read metrics', (redis) =>
        redis.mget(chunk.map((at) => this.#key(stepMs, at))),
      );
      chunk.forEach((at, index) => {
        const text = texts[index];
        if (text) steps.set(at, decodeStep(text));
      });
    }
    return steps;
  }

  #key(stepMs: number, at: number): string {
    return this.#store.keys.system(`metrics:${stepMs / 1000}:${at}`);
  }
}
