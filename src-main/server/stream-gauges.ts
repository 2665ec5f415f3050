/**
 * The frames that tell how things stand, not what happened: stats, queues, workers. At most four times a second,
 * only when their text has changed, and computed only while someone listens. While no task changes they are looked
 * at every two seconds: ages and heartbeats go on.
 */
import type { Queue, StatsOverview } from '#queue/contract/queue';
import type { Worker } from '#queue/contract/worker';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import { encodeFrame } from './stream-frames';

const GAUGE_MS = 250;
const QUIET_GAUGE_MS = 2000;

export interface GaugeReaders {
  stats(): Promise<StatsOverview>;
  queues(): Promise<Queue[]>;
  workers(): Promise<Worker[]>;
}
const GAUGE_TOPICS = ['stats', 'queues', 'workers'] as const;
type GaugeTopic = (typeof GAUGE_TOPICS)[number];

interface Deps {
  read: GaugeReaders;
  clock: Clock;
  log: Log;
  /** Whether anyone would be sent this. */
  wanted: (topic: GaugeTopic) => boolean;
  send: (topic: GaugeTopic, frame: Buffer) => void;
}

export class Gauges {
  readonly #deps: Deps;
  readonly #last = new Map<GaugeTopic, Buffer>();
  #changed = false;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Something may have moved: look at the next turn. */
  touch(): void {
    this.#changed = true;
  }

  /** A client may hold old values: send to all at the next turn, also what has not changed. */
  forget(): void {
    this.#last.clear();
    this.#changed = true;
  }

  /** Until aborted. A reader that fails costs its frame and nothing else. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    while (!signal.aborted) {
      await clock.sleep(GAUGE_MS, signal);
      const topics = GAUGE_TOPICS.filter((topic) => this.#deps.wanted(topic));
      const due = this.#changed || clock.monotonic() - this.#lookedMs >= QUIET_GAUGE_MS;
      if (signal.aborted || topics.length === 0 || !due) continue;
      this.#changed = false;
      this.#lookedMs = clock.monotonic();
      await Promise.all(topics.map((topic) => this.#look(topic)));
    }
  }

  async #look(topic: GaugeTopic): Promise<void> {
    const { log, send } = this.#deps;
    try {
      const frame = await this.#read(topic);
      if (this.#last.get(topic)?.equals(frame)) return;
      this.#last.set(topic, frame);
      send(topic, frame);
    } catch (error) {
      log.debug('could not read a gauge for the event stream', { topic, error });
    }
  }

  async #read(topic: GaugeTopic): Promise<Buffer> {
    const { read } = this.#deps;
    switch (topic) {
      case 'stats':
        return encodeFrame({ type: topic, stats: await read.stats() });
      case 'queues':
        return encodeFrame({ type: topic, queues: await read.queues() });
      case 'workers':
        return encodeFrame({ type: topic, workers: await read.workers() });
      default:
        return topic satisfies never;
    }
  }
}
