/**
 * Keeps the operations up to date: frames where the server sends them, and a look once a second while one moves and no
 * frame has come. Steers them.
 */
import type { Operation } from '#queue/contract/operation';
import type { ServerFrame } from '#queue/contract/stream';
import type { ApiClient } from '../net/api-client';
import { ApiError } from '../net/api-error';
import type { BrowserTime } from '../net/browser-time';
import { moves, type OperationsStore } from '../stores/operations-store.svelte';

const FOLLOW_MS = 1000;

export type SteerVerb = 'pause' | 'resume' | 'abort';
const ROUTES = { pause: 'pauseOperation', resume: 'resumeOperation', abort: 'abortOperation' } as const;

export class OperationsLoader {
  readonly #api: ApiClient;
  readonly #store: OperationsStore;
  readonly #time: BrowserTime;
  #reading = new AbortController();
  #following = false;
  /** A frame has told what a look would. */
  #told = false;

  constructor(api: ApiClient, store: OperationsStore, time: BrowserTime) {
    this.#api = api;
    this.#store = store;
    this.#time = time;
  }

  async read(): Promise<void> {
    this.#reading.abort();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    try {
      const { operations } = await this.#api.call('listOperations', { signal });
      if (!signal.aborted) this.#store.replace(operations);
    } catch (error) {
      if (!signal.aborted) this.#store.fail(error);
    }
    this.#follow();
  }

  /** The one with what it skipped or failed at; one that is not kept is not there. */
  async readOne(id: string): Promise<void> {
    try {
      const operation = await this.#api.call('getOperation', { params: { id } });
      if (this.#store.operations.some((known) => known.id === id)) this.#store.put(operation);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // the list tells of a server that is away, and of one that is gone
    }
  }

  take(frame: ServerFrame): void {
    if (frame.type !== 'operation') return;
    this.#told = true;
    this.put(frame.operation);
  }

  /** One that was just started, here or elsewhere. */
  put(operation: Operation): void {
    this.#store.put(operation);
    this.#follow();
  }

  /** @throws {ApiError} */
  async steer(id: string, verb: SteerVerb): Promise<void> {
    this.put(await this.#api.call(ROUTES[verb], { params: { id } }));
  }

  #follow(): void {
    if (this.#following || !this.#store.operations.some(moves)) return;
    this.#following = true;
    this.#time.after(FOLLOW_MS, () => {
      this.#following = false;
      const told = this.#told;
      this.#told = false;
      if (told) this.#follow();
      else void this.read();
    });
  }
}
