/**
 * What can be done to pools and workers: asks first where the connection wants it, sends it, says what came of it. One
 * thing at a time for each pool and worker.
 */

import { SvelteSet } from 'svelte/reactivity';
import type { RouteName } from '#queue/contract/http-routes';
import type { Pool } from '#queue/contract/worker';
import { plural } from '../../format';
import { describeError } from '../../net/api-error';
import { type ActionKind, confirmationFor } from '../../safety';
import type { PoolsStore } from '../../stores/pools-store.svelte';
import type { Ui } from '../../ui';
import type { FleetMember } from './fleet-rows';

/** As the API allows. */
const MAX_PROCESSES = 64;

export interface Question {
  readonly title: string;
  /** What follows from it. */
  readonly lead: string;
  /** Repeated on the button. */
  readonly verb: string;
  /** To be typed first; null where a click is enough. */
  readonly typed: string | null;
  readonly run: () => void;
}

interface Deed {
  /** Of the pool or worker. */
  readonly id: string;
  readonly kind: ActionKind;
  readonly title: string;
  readonly lead: string;
  readonly verb: string;
  /** Name to type where the connection wants that. */
  readonly name: string;
  /** Asked wherever it is. */
  readonly always?: boolean;
  /** @returns what to say when it is done */
  readonly send: () => Promise<string>;
}

export class FleetActions {
  /** What is asked at the moment. */
  question = $state.raw<Question | null>(null);
  readonly busy = new SvelteSet<string>();
  readonly #ui: Ui;
  readonly #store: PoolsStore;
  readonly #refresh: () => void;

  constructor(ui: Ui, store: PoolsStore, refresh: () => void) {
    this.#ui = ui;
    this.#store = store;
    this.#refresh = refresh;
  }

  refusal(route: RouteName): string | null {
    return this.#ui.session.refusal(route);
  }

  /** Why a pool cannot get one process more or fewer; null where it can. */
  scaleRefusal({ processes, autoscale, id }: Pool, by: 1 | -1): string | null {
    const refusal = this.refusal('patchPool');
    if (refusal !== null) return refusal;
    if (autoscale !== null) return `Scales by itself, ${autoscale.min} to ${autoscale.max}`;
    if (this.busy.has(id)) return 'Being changed';
    if (processes + by < 0) return 'It has no process';
    return processes + by > MAX_PROCESSES ? `At most ${MAX_PROCESSES} processes` : null;
  }

  scale({ id, name, processes }: Pool, by: 1 | -1): void {
    const wanted = processes + by;
    this.#do({
      id,
      kind: 'reversible',
      title: `Scale ${name} to ${plural(wanted, 'process', 'processes')}`,
      lead: by > 0 ? 'One more process starts.' : 'The process with the least to do finishes what it runs, then ends.',
      verb: `Scale to ${wanted}`,
      name,
      send: async () => {
        this.#store.put(await this.#api.call('patchPool', { params: { id }, body: { processes: wanted } }));
        return by > 0
          ? `${name}: a process starts, ${plural(wanted, 'process', 'processes')} then`
          : `${name}: a process ends after its tasks, ${plural(wanted, 'process', 'processes')} then`;
      },
    });
  }

  quietPool({ id, name, members }: Pool): void {
    const count = plural(members.length, 'process', 'processes');
    this.#do({
      id,
      kind: 'reversible',
      title: `Quiet ${count} of ${name}`,
      lead: 'They finish what they run and take no new task, until the pool is restarted.',
      verb: `Quiet ${count}`,
      name,
      send: async () => {
        await Promise.all(members.map(({ worker_id }) => this.#api.call('quietWorker', { params: { id: worker_id } })));
        return `${count} of ${name} are told to take no new task`;
      },
    });
  }

  restartPool({ id, name, members }: Pool): void {
    const count = plural(members.length, 'process', 'processes');
    this.#do({
      id,
      kind: 'reversible',
      title: `Restart ${count} of ${name}`,
      lead: 'One after the other: each new one must serve before the next is replaced. Running tasks are finished first.',
      verb: `Restart ${count}`,
      name,
      send: async () => {
        this.#store.put(await this.#api.call('restartPool', { params: { id } }));
        return `Restarting ${count} of ${name}, one after the other`;
      },
    });
  }

  removePool({ id, name, members }: Pool): void {
    this.#do({
      id,
      kind: 'bulk',
      always: true,
      title: `Remove the pool ${name}`,
      lead: `${plural(members.length, 'process finishes', 'processes finish')} what runs and ${members.length === 1 ? 'ends' : 'end'}. The pool does not come back when the server starts again; pending tasks stay.`,
      verb: `Remove ${name}`,
      name,
      send: async () => {
        await this.#api.call('deletePool', { params: { id } });
        this.#store.remove(id);
        return `Removed the pool ${name}`;
      },
    });
  }

  restartWorker({ id, worker }: FleetMember): void {
    this.#do({
      id,
      kind: 'reversible',
      title: `Restart the worker ${id}`,
      lead: `A new process starts. This one finishes ${plural(worker?.running.length ?? 0, 'task')}, then ends.`,
      verb: 'Restart worker',
      name: id,
      send: async () => {
        this.#store.put(await this.#api.call('restartWorker', { params: { id } }));
        return `Restarting ${id}: a new process takes its place`;
      },
    });
  }

  quiet({ id, worker }: FleetMember): void {
    this.#do({
      id,
      kind: 'reversible',
      title: `Quiet the worker ${id}`,
      lead: `It finishes ${plural(worker?.running.length ?? 0, 'task')} and takes no new one, until it is restarted.`,
      verb: 'Quiet worker',
      name: id,
      send: async () => {
        await this.#api.call('quietWorker', { params: { id } });
        return `${id} is told to take no new task`;
      },
    });
  }

  stop({ id, pool, worker }: FleetMember): void {
    const place = worker === null ? '' : ` on ${worker.host}`;
    this.#do({
      id,
      kind: pool === null ? 'bulk' : 'reversible',
      always: true,
      title: `Stop the worker ${id}${place}`,
      lead: `It finishes ${plural(worker?.running.length ?? 0, 'task')} and ends. ${pool === null ? 'This server did not start it and cannot start it again.' : `${pool.name} starts another in its place; to have fewer, scale it down.`}`,
      verb: 'Stop worker',
      name: id,
      send: async () => {
        await this.#api.call('stopWorker', { params: { id } });
        return `${id} is told to stop`;
      },
    });
  }

  close(): void {
    this.question = null;
  }

  get #api() {
    return this.#ui.session.api;
  }

  #do(deed: Deed): void {
    if (this.busy.has(deed.id)) return;
    const asks = confirmationFor(this.#ui.session.safetyLevel, deed.kind);
    if (asks === 'none' && deed.always !== true) {
      void this.#send(deed);
      return;
    }
    const environment = this.#ui.session.identity.info?.profile.environment ?? null;
    this.question = {
      title: `${deed.title}${environment === null ? '' : ` on ${environment.toUpperCase()}`}`,
      lead: deed.lead,
      verb: deed.verb,
      typed: asks === 'type' ? deed.name : null,
      run: () => {
        this.question = null;
        void this.#send(deed);
      },
    };
  }

  async #send({ id, title, send }: Deed): Promise<void> {
    const { toasts } = this.#ui;
    this.busy.add(id);
    try {
      toasts.say(await send());
    } catch (thrown) {
      const said = describeError(thrown);
      toasts.fail(`${title}: ${said.title}. ${said.detail}`);
    } finally {
      this.busy.delete(id);
      this.#refresh();
    }
  }
}
