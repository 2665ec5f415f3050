/** Pausing and resuming a queue, from its screen and from the palette alike: asks where the connection wants it, does it, says so. */
import type { Queue } from '#queue/contract/queue';
import type { Command } from '../../commands.svelte';
import { describeError } from '../../net/api-error';
import { confirmationFor } from '../../safety';
import type { Ui } from '../../ui';

export class QueuePause {
  /** Waits for a yes. */
  asked = $state.raw<Queue | null>(null);
  busy = $state(false);
  readonly #ui: Ui;

  constructor(ui: Ui) {
    this.#ui = ui;
  }

  refusal({ paused }: Queue): string | null {
    return this.#ui.session.refusal(paused ? 'resumeQueue' : 'pauseQueue');
  }

  ask(queue: Queue): void {
    if (confirmationFor(this.#ui.session.safetyLevel, 'reversible') === 'none') void this.turn(queue);
    else this.asked = queue;
  }

  async turn({ name, paused }: Queue): Promise<void> {
    this.asked = null;
    if (this.busy) return;
    this.busy = true;
    const { session, toasts } = this.#ui;
    try {
      await session.setPaused(name, !paused);
      const undo = () =>
        void session.setPaused(name, paused).catch((thrown: unknown) => toasts.fail(describeError(thrown).title));
      toasts.say(paused ? `Resumed ${name}` : `Paused ${name}: running tasks go on`, [{ label: 'Undo', run: undo }]);
    } catch (thrown) {
      const { title, detail } = describeError(thrown);
      toasts.fail(`${name} stays as it is: ${title}. ${detail}`);
    } finally {
      this.busy = false;
    }
  }
}

export const pauseCommand = (queue: Queue, pause: QueuePause): Command => ({
  id: `pause-queue-${queue.name}`,
  title: `${queue.paused ? 'Resume' : 'Pause'} ${queue.name}`,
  group: 'Actions',
  icon: queue.paused ? 'play' : 'pause',
  refusal: pause.refusal(queue),
  consequence: queue.paused ? 'Its tasks start again.' : 'Running tasks go on; no new one starts.',
  run: () => pause.ask(queue),
});
