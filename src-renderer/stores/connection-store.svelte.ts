/** Whether what the console shows is true now, and if not, since when. Folds frames and phases, no I/O. */
import type { ServerFrame } from '#queue/contract/stream';
import type { StreamPhase } from '../net/stream-client';

export class ConnectionStore {
  phase = $state.raw<StreamPhase>({ name: 'connecting' });
  redis = $state<'up' | 'down'>('up');
  version = $state<string | null>(null);
  /** Unix ms; null while live. */
  staleSince = $state<number | null>(null);
  /** It has been live before: what is shown is old rather than missing. */
  everLive = $state(false);
  readonly live = $derived(this.phase.name === 'live' && this.redis === 'up');

  enter(phase: StreamPhase, now: number): void {
    this.phase = phase;
    if (phase.name === 'live') this.everLive = true;
    this.#mark(now);
  }

  apply(frame: ServerFrame, now: number): void {
    if (frame.type === 'hello') {
      this.version = frame.version;
      this.redis = 'up'; // the server tells at once where it is not
    }
    if (frame.type === 'connection') this.redis = frame.redis;
    this.#mark(now);
  }

  #mark(now: number): void {
    if (this.live) this.staleSince = null;
    else this.staleSince ??= now;
  }
}
