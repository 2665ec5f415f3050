/**
 * One console and the server it looks at: owns the API client, the live connection and the stores, and carries
 * frames from the one to the others. Views read its stores and call its verbs.
 */
import type { RouteName } from '#queue/contract/http-routes';
import type { Queue } from '#queue/contract/queue';
import type { SafetyLevel } from '#queue/contract/session';
import type { ServerFrame } from '#queue/contract/stream';
import type { SubmitTaskInput, Task } from '#queue/contract/task';
import { ManyLoader } from './loaders/many-loader';
import { OperationsLoader } from './loaders/operations-loader';
import { ApiClient } from './net/api-client';
import { ApiError } from './net/api-error';
import type { BrowserTime } from './net/browser-time';
import { StreamClient } from './net/stream-client';
import { PaintBeat } from './paint-beat';
import type { Preferences } from './preferences.svelte';
import { ConnectionStore } from './stores/connection-store.svelte';
import { IdentityStore } from './stores/identity-store.svelte';
import { ManyStore } from './stores/many-store.svelte';
import { OperationsStore } from './stores/operations-store.svelte';
import { SystemStore } from './stores/system-store.svelte';
import { WorkerSamples } from './stores/worker-samples.svelte';

export interface SessionDeps {
  /** Origin of the server, with a trailing slash. */
  baseUrl: string;
  preferences: Preferences;
  time: BrowserTime;
  fetch: typeof fetch;
  openSocket: (url: string, protocols: string[]) => WebSocket;
}

const GAUGES: ReadonlySet<ServerFrame['type']> = new Set(['stats', 'queues', 'workers', 'system', 'operation']);
const SECOND_MS = 1000;
/** Rights and latency are asked for again. */
const IDENTIFY_MS = 30_000;

export class Session {
  readonly system = new SystemStore();
  /** What the last heartbeats told, also before a screen shows it. */
  readonly samples = new WorkerSamples();
  readonly connection = new ConnectionStore();
  readonly identity = new IdentityStore();
  /** Bulk work of the server; read once a view or the status bar asks for it. */
  readonly operations = new OperationsStore();
  readonly operationsLoader: OperationsLoader;
  /** A file of tasks that is looked through or sent: it goes on while other screens are shown. */
  readonly many = new ManyStore();
  readonly manyLoader: ManyLoader;
  readonly baseUrl: string;
  /** For the loaders of single screens. */
  readonly api: ApiClient;
  /** For the loaders of single screens. */
  readonly time: BrowserTime;
  /** When the page changes by what the server tells. */
  readonly beat: PaintBeat;
  /** The server wants a token, or refuses the one that it was given. */
  needsToken = $state<'missing' | 'refused' | null>(null);
  /** Unix ms, once a second: for ages. */
  now = $state(0);
  readonly #deps: SessionDeps;
  readonly #stream: StreamClient;
  readonly #listeners = new Set<(frame: ServerFrame) => void>();
  #takeBackTick: () => void = () => undefined;
  #takeBackIdentify: () => void = () => undefined;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    this.baseUrl = deps.baseUrl;
    const { baseUrl, preferences, time } = deps;
    this.now = time.now();
    const token = () => preferences.token;
    this.time = time;
    this.beat = new PaintBeat(time);
    this.api = new ApiClient({ baseUrl, fetch: deps.fetch, token, onUnauthenticated: () => this.#askForToken() });
    this.operationsLoader = new OperationsLoader(this.api, this.operations, time);
    this.manyLoader = new ManyLoader(this.api, this.many, time, (type) => this.#schemaOf(type));
    const url = new URL('ws', baseUrl);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    this.#stream = new StreamClient({
      url: url.href,
      token,
      time,
      open: deps.openSocket,
      onFrame: (frame) => this.#take(frame),
      onPhase: (phase) => this.connection.enter(phase, time.now()),
      onRefused: () => void this.#probe(),
    });
  }

  start(): void {
    this.#tick();
    this.#stream.start();
  }

  stop(): void {
    this.#takeBackTick();
    this.#takeBackIdentify();
    this.#stream.stop();
  }

  get safetyLevel(): SafetyLevel {
    return this.identity.level;
  }

  /** @returns why this cannot be done now, in a few words; null where it can */
  refusal(route: RouteName): string | null {
    return this.connection.live ? this.identity.refusal(route) : 'Not connected';
  }

  /** Lets this connection write for a while; goes into the audit. @throws {ApiError} */
  async unlock(reason: string, minutes: number): Promise<void> {
    this.identity.safety = await this.api.call('unlockSession', { body: { reason, minutes } });
    await this.#identify();
  }

  /** @throws {ApiError} */
  async lock(): Promise<void> {
    this.identity.safety = await this.api.call('lockSession');
    await this.#identify();
  }

  /** Tries again with this token; the page asks once more where it is refused. */
  useToken(token: string): void {
    this.#deps.preferences.setToken(token);
    this.needsToken = null;
    this.#stream.start();
  }

  retryNow(): void {
    this.#stream.retryNow();
  }

  /** Hands every frame to a screen's own loader or store. @returns how to stop it */
  onFrame(listener: (frame: ServerFrame) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Keeps what is known where it fails: types only help to fill the form. @throws {ApiError} */
  async loadTaskTypes(): Promise<void> {
    this.system.taskTypes = (await this.api.call('listTaskTypes')).task_types;
  }

  /** @throws {ApiError} */
  submit(task: SubmitTaskInput): Promise<Task> {
    return this.api.call('submitTask', { body: task });
  }

  /** Running tasks go on either way. @throws {ApiError} */
  async setPaused(queue: string, paused: boolean): Promise<void> {
    this.putQueue(await this.api.call(paused ? 'pauseQueue' : 'resumeQueue', { params: { queue } }));
  }

  /** One queue as a request has left it: newer than any frame that waits for the beat. */
  putQueue(queue: Queue): void {
    this.beat.flush();
    this.system.putQueue(queue);
  }

  /**
   * How things stand waits for the beat. A task's frame does not: who lists tasks gathers them. Whatever tells of the
   * connection itself is there at once, after all that was told before it.
   */
  #take(frame: ServerFrame): void {
    const nowMs = this.#deps.time.now();
    if (GAUGES.has(frame.type)) {
      this.beat.ask(() => this.#fold(frame, nowMs));
      return;
    }
    if (frame.type !== 'task') this.beat.flush();
    this.#fold(frame, nowMs);
  }

  #fold(frame: ServerFrame, nowMs: number): void {
    this.connection.apply(frame, nowMs);
    this.system.apply(frame);
    this.samples.apply(frame, nowMs);
    this.operationsLoader.take(frame);
    const known = this.identity.info !== null; // where it is not, the snapshot that follows asks
    if ((this.identity.apply(frame) && known) || frame.type === 'snapshot') void this.#identify();
    for (const listener of this.#listeners) listener(frame);
  }

  #schemaOf(type: string): unknown {
    return this.system.taskTypes.find(({ task_type }) => task_type === type)?.payload_schema ?? null;
  }

  #askForToken(): void {
    this.needsToken = this.#deps.preferences.token === null ? 'missing' : 'refused';
    this.#stream.stop();
  }

  /** A browser does not tell why a WebSocket was refused; a plain request does, and shows at least the numbers. */
  async #probe(): Promise<void> {
    try {
      this.system.stats = await this.api.call('statsOverview');
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // an ApiError is on the screen already: no connection, or no token
    }
  }

  /** Who and where; again once in a while, as rights and distance change. */
  async #identify(): Promise<void> {
    const { time } = this.#deps;
    this.#takeBackIdentify();
    const before = time.now();
    try {
      const info = await this.api.call('getSession');
      this.identity.replace(info, time.now() - before);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // what was known stays; the stream tells of the connection
    }
    this.#takeBackIdentify();
    this.#takeBackIdentify = time.after(IDENTIFY_MS, () => void this.#identify());
  }

  #tick(): void {
    const { time } = this.#deps;
    this.#takeBackTick = time.after(SECOND_MS, () => this.#tick());
    this.beat.ask(() => {
      this.now = time.now();
    });
  }
}
