/**
 * The frames that tell how things stand, not what happened: stats, queues, workers. At most four times a second, less
 * often where there are many queues to look at, so that an open window costs Redis some 200 commands a second at most;
 * only when their text has changed, and computed only while someone listens. While no task changes they are looked
 * at every two seconds: ages and heartbeats go on. How Redis does is told every two seconds, and operations that have
 * moved once a second, whatever tasks do.
 */
import type { Operation } from '#queue/contract/operation';
import type { Queue, StatsOverview } from '#queue/contract/queue';
import type { SystemState } from '#queue/contract/session';
import type { Worker } from '#queue/contract/worker';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import { SYSTEM_EVERY_MS } from './redis-gauge';
import { encodeFrame } from './stream-frames';

const GAUGE_MS = 250;
const QUIET_GAUGE_MS = 2000;
/** A look at one queue is some 30 commands. */
const GAUGE_MS_PER_QUEUE = 150;
const OPERATIONS_EVERY_MS = 1000;

export interface GaugeReaders {
  stats(): Promise<StatsOverview>;
  queues(): Promise<Queue[]>;
  workers(): Promise<Worker[]>;
  system(): Promise<SystemState>;
}

/** Operations that have moved since they were last asked for. */
export interface OperationNews {
  changes(): Promise<Operation[]>;
  /** Tell all of them at the next look. */
  forget(): void;
}
const GAUGE_TOPICS = ['stats', 'queues', 'workers'] as const;
type GaugeTopic = (typeof GAUGE_TOPICS)[number];
/** Those with a pace of their own. */
const PACED = { system: SYSTEM_EVERY_MS, operations: OPERATIONS_EVERY_MS } as const;
type PacedTopic = keyof typeof PACED;
const PACED_TOPICS = Object.keys(PACED) as PacedTopic[];

interface Deps {
  read: GaugeReaders;
  operations: OperationNews;
  clock: Clock;
  log: Log;
  /** Whether anyone would be sent this. */
  wanted: (topic: GaugeTopic | PacedTopic) => boolean;
  send: (topic: GaugeTopic | PacedTopic, frame: Buffer) => void;
}

export class Gauges {
  readonly #deps: Deps;
  readonly #last = new Map<GaugeTopic, Buffer>();
  #changed = false;
  #lookedMs = Number.NEGATIVE_INFINITY;
  /** As many as were there at the last look. */
  #queues = 0;
  readonly #pacedMs: Record<PacedTopic, number> = {
    system: Number.NEGATIVE_INFINITY,
    operations: Number.NEGATIVE_INFINITY,
  };

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
    this.#deps.operations.forget();
  }

  /** Until aborted. A reader that fails costs its frame and nothing else. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    while (!signal.aborted) {
      await clock.sleep(GAUGE_MS, signal);
      if (signal.aborted) return;
      await Promise.all([
        ...this.#due().map((topic) => this.#look(topic)),
        ...this.#pacedDue().map((topic) => this.#tell(topic)),
      ]);
    }
  }

  #due(): GaugeTopic[] {
    const now = this.#deps.clock.monotonic();
    const topics = GAUGE_TOPICS.filter((topic) => this.#deps.wanted(topic));
    const restMs = Math.min(QUIET_GAUGE_MS, this.#queues * GAUGE_MS_PER_QUEUE);
    const since = now - this.#lookedMs;
    if (topics.length === 0 || since < restMs || !(this.#changed || since >= QUIET_GAUGE_MS)) return [];
    this.#changed = false;
    this.#lookedMs = now;
    return topics;
  }

  #pacedDue(): PacedTopic[] {
    const now = this.#deps.clock.monotonic();
    const topics = PACED_TOPICS.filter(
      (topic) => now - this.#pacedMs[topic] >= PACED[topic] && this.#deps.wanted(topic),
    );
    for (const topic of topics) this.#pacedMs[topic] = now;
    return topics;
  }

  async #tell(topic: PacedTopic): Promise<void> {
    const { log, send, read, operations } = this.#deps;
    try {
      if (topic === 'system') send(topic, encodeFrame({ type: topic, ...(await read.system()) }));
      else
        for (const operation of await operations.changes()) send(topic, encodeFrame({ type: 'operation', operation }));
    } catch (error) {
      log.debug('could not read a gauge for the event stream', { topic, error });
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
      case 'queues': {
        const queues = await read.queues();
        this.#queues = queues.length;
        return encodeFrame({ type: topic, queues });
      }
      case 'workers':
        return encodeFrame({ type: topic, workers: await read.workers() });
      default:
        return topic satisfies never;
    }
  }
}
