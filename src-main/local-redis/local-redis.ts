/**
 * The redis-server that Millrace owns when no other was configured: one on a directory, whoever asks for it.
 *
 * `start` adopts the one that an earlier process left running, or starts one on the data that is there. It is watched
 * while we run, and started again, on the same port and with the same password, when it ends by itself. It outlives
 * a crash of this process. `stop` ends it, unless another living process uses it too.
 */
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import type { Service } from '#queue/kernel/service';
import { adoptServer } from './adopt';
import type { LocalAddress } from './ask';
import { type Claim, claim } from './claims';
import type { RedisProgram } from './find';
import { LocalRedisError } from './local-redis-error';
import { withLock } from './lock';
import { isAlive } from './process-mark';
import { forgetServer, type Layout, layoutOf, prepareDir, readPassword } from './server-file';
import { type OwnServer, startServer } from './start';
import { shutDown } from './stop';

export type LocalRedisState = { up: true; address: LocalAddress } | { up: false; reason: string };

export interface LocalRedisDeps {
  /** Everything lies in `<dataDir>/redis`. */
  dataDir: string;
  /** As `findRedisProgram`; asked only when a server has to be started. */
  find: () => Promise<RedisProgram>;
  clock: Clock;
  log: Log;
  /** Evenly in [0, 1). */
  random: () => number;
  /** Told of every change while it runs: down when the server ends by itself, up when it is back. */
  onState?: (state: LocalRedisState) => void;
}

const WATCH_MS = 500;
const LOCK_WAIT_MS = 60_000;
const BACKOFF_FIRST_MS = 100;
const BACKOFF_MAX_MS = 10_000;

export class LocalRedis implements Service {
  readonly name = 'local-redis';
  readonly #deps: LocalRedisDeps;
  readonly #layout: Layout;
  readonly #stopping = new AbortController();
  #use: Claim | undefined;
  #server: OwnServer | undefined;
  #port: number | null = null;
  #starting: Promise<void> | undefined;
  #watching: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(deps: LocalRedisDeps) {
    this.#deps = deps;
    this.#layout = layoutOf(deps.dataDir);
  }

  /** Resolves when the server answers and has read its data. @throws {LocalRedisError} with a message that says how to mend it */
  start(): Promise<void> {
    this.#starting ??= this.#begin();
    return this.#starting;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  /** As `stop`, but the server runs on, for workers that do. The next start adopts it. */
  leave(): Promise<void> {
    this.#stopped ??= this.#end({ keepServer: true });
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Where the server is; the same for as long as it runs, restarts included. Only after `start`. */
  options(): LocalAddress {
    if (!this.#server) throw new LocalRedisError('failed', 'the local Redis has not been started');
    return this.#server.address;
  }

  /** Of the server that runs now; null while none does. */
  get pid(): number | null {
    return this.#server && this.#runs(this.#server) ? this.#server.process.pid : null;
  }

  async #begin(): Promise<void> {
    prepareDir(this.#layout);
    try {
      await this.#ensure();
    } catch (error) {
      this.#use?.withdraw();
      throw error;
    }
    if (this.#stopping.signal.aborted) return;
    this.#watching = this.#watch();
  }

  /** Adopts or starts, alone on the directory. */
  async #ensure(): Promise<void> {
    const { clock, log, find } = this.#deps;
    const layout = this.#layout;
    const { signal } = this.#stopping;
    await this.#locked(async () => {
      this.#use ??= claim(layout.users);
      const shared = { layout, password: readPassword(layout), clock, log, signal };
      const server =
        (await adoptServer(shared)) ??
        (signal.aborted ? null : await startServer({ ...shared, program: await find(), preferredPort: this.#port }));
      if (server === null) return; // stopped meanwhile
      this.#server = server;
      this.#port = server.address.port;
    }, signal);
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted && this.#server) {
      if (this.#runs(this.#server)) {
        await this.#sleepWhile(this.#server);
        continue;
      }
      this.#deps.log.error('the local Redis has ended by itself; starting it again', { pid: this.#server.process.pid });
      this.#deps.onState?.({ up: false, reason: 'the local redis-server has ended' });
      await this.#bringBack();
    }
  }

  async #bringBack(): Promise<void> {
    const { clock, log, onState } = this.#deps;
    const { signal } = this.#stopping;
    for (let waitMs = BACKOFF_FIRST_MS; !signal.aborted; waitMs = Math.min(waitMs * 2, BACKOFF_MAX_MS)) {
      await clock.sleep(waitMs, signal);
      if (signal.aborted) return;
      try {
        await this.#ensure();
        if (!signal.aborted) onState?.({ up: true, address: this.options() });
        return;
      } catch (error) {
        log.error('the local Redis could not be started again', { error });
        onState?.({ up: false, reason: error instanceof Error ? error.message : String(error) });
      }
    }
  }

  /** Until the next look, the end of our own child, or a stop. */
  async #sleepWhile(server: OwnServer): Promise<void> {
    const wake = new AbortController();
    const signals = [this.#stopping.signal, ...(server.ended ? [server.ended] : [])];
    const onAbort = () => wake.abort();
    for (const signal of signals) {
      if (signal.aborted) wake.abort();
      signal.addEventListener('abort', onAbort, { once: true });
    }
    await this.#deps.clock.sleep(WATCH_MS, wake.signal);
    for (const signal of signals) signal.removeEventListener('abort', onAbort);
  }

  #runs(server: OwnServer): boolean {
    return server.ended?.aborted !== true && isAlive(server.process);
  }

  async #end({ keepServer = false } = {}): Promise<void> {
    this.#stopping.abort();
    await this.#starting?.catch(() => undefined); // its caller has the error
    await this.#watching;
    const use = this.#use;
    if (!use) return;
    if (keepServer) return use.withdraw();
    await this.#locked(async () => {
      const others = use.others();
      use.withdraw();
      if (others.length > 0) {
        this.#deps.log.info('the local Redis stays: another process uses it', { pids: others.map(({ pid }) => pid) });
        return;
      }
      const server = this.#server ?? (await this.#leftBehind());
      if (!server) return;
      await shutDown(server.address, server.process, this.#deps.clock);
      forgetServer(this.#layout);
    });
  }

  /** A start that was stopped half-way may have left a server that nobody waited for. */
  #leftBehind(): Promise<OwnServer | null> {
    const { clock, log } = this.#deps;
    const { signal } = new AbortController();
    return adoptServer({ layout: this.#layout, password: readPassword(this.#layout), clock, log, signal });
  }

  #locked<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { clock, random } = this.#deps;
    const options = { clock, random, waitMs: LOCK_WAIT_MS, ...(signal && { signal }) };
    return withLock(this.#layout.starting, options, work);
  }
}
