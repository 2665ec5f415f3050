/**
 * One Redis as the engine sees it: keys, a command connection, scripts. Whatever else needs a connection of its own
 * (blocking reads) gets it here, so that all are closed together.
 */
import { Cluster } from 'ioredis';
import type { Clock } from '../kernel/clock';
import type { Log } from '../kernel/log';
import { type Connection, type ConnectionRole, closeConnection, openConnection, whenReady } from './connection';
import type { Durable } from './durable-promises';
import { type DurableAnswer, DurableRunner } from './durable-runner';
import { createKeys, type Keys } from './keys';
import { LayoutGate } from './layout-gate';
import type { RedisOptions } from './options';
import { type Patience, untilKnown } from './repetition';
import { type Script, ScriptRunner } from './script';
import { type RedisVitals, readVitals } from './vitals';

export interface StoreDeps {
  options: RedisOptions;
  clock: Clock;
  log: Log;
  /** Names the connections in CLIENT LIST. */
  name: string;
  /** How long a call is repeated while Redis is away, ms. */
  patienceMs: number;
}

export class RedisStore {
  readonly keys: Keys;
  /** Keys of different queues may not meet in one command. */
  readonly isCluster: boolean;
  readonly #deps: StoreDeps;
  readonly #connection: Connection;
  readonly #patience: Patience;
  readonly #gate: LayoutGate;
  readonly #runner: ScriptRunner;
  readonly #durableRunner: DurableRunner;
  readonly #others = new Set<Connection>();

  constructor(deps: StoreDeps) {
    this.#deps = deps;
    this.keys = createKeys(deps.options.prefix);
    this.isCluster = deps.options.kind === 'cluster';
    this.#connection = openConnection(deps.options, 'command', deps.name, deps.log);
    const { clock, log, patienceMs } = deps;
    const connection = this.#connection;
    this.#gate = new LayoutGate({ connection, keys: this.keys, clock, log });
    this.#patience = { connection, clock, patienceMs };
    this.#runner = new ScriptRunner(this.#patience, this.#gate);
    const open = () => this.open('command', 'durable');
    this.#durableRunner = new DurableRunner({ open, gate: this.#gate, clock, patienceMs });
  }

  get isReady(): boolean {
    return this.#connection.status === 'ready';
  }

  whenReady(ms: number): Promise<boolean> {
    return whenReady(this.#connection, ms);
  }

  /** Why this program leaves the store alone: its layout is another one; null: it does not. */
  get refusal(): string | null {
    return this.#gate.refusal;
  }

  /** Looks at the layout of the store, where that has not been done. @throws {QueueError} STORE_LAYOUT, REDIS_UNREACHABLE */
  async checkLayout(): Promise<void> {
    await untilKnown(this.#patience, 'look at the layout', () => this.#gate.pass());
  }

  /** Tells of every change between reachable and not. */
  onConnection(listener: (up: boolean) => void): void {
    let up = this.isReady;
    const tell = (next: boolean) => {
      if (next !== up) {
        up = next;
        listener(next);
      }
    };
    this.#connection.on('ready', () => tell(true));
    this.#connection.on('close', () => tell(false));
  }

  /** One measurement, not repeated. @throws where Redis does not answer */
  vitals(): Promise<RedisVitals> {
    const servers = this.#connection instanceof Cluster ? this.#connection.nodes('master') : [this.#connection];
    return readVitals(servers, this.#deps.clock);
  }

  /** Runs a script of one queue. */
  run<Input, Output>(script: Script<Input, Output>, queue: string, input: Input): Promise<Output> {
    return this.#runner.run(script, this.keys.meta(queue), input);
  }

  /** As `run`; the answer tells whether what it wrote is as safe as asked. @throws {QueueError} also NOT_DURABLE */
  runDurably<Input, Output>(
    script: Script<Input, Output>,
    queue: string,
    input: Input,
    level: Durable,
  ): Promise<DurableAnswer<Output>> {
    return this.#durableRunner.run(script, this.keys.meta(queue), input, level);
  }

  /**
   * A plain command, repeated like a script: use it for commands that may be repeated.
   * @throws {QueueError} REDIS_UNREACHABLE, REDIS_FULL, STORAGE, STORE_DAMAGED, STORE_LAYOUT
   */
  command<T>(what: string, command: (connection: Connection) => Promise<T>): Promise<T> {
    return untilKnown(this.#patience, what, async () => {
      await this.#gate.pass();
      return command(this.#connection);
    });
  }

  /** Whatever the layout of the store is. @throws {QueueError} REDIS_UNREACHABLE */
  async ping(): Promise<void> {
    await untilKnown(this.#patience, 'ping', () => this.#connection.ping());
  }

  /** A further connection; `release` closes it. */
  open(role: ConnectionRole, purpose: string): Connection {
    const { options, log, name } = this.#deps;
    const connection = openConnection(options, role, `${name}-${purpose}`, log);
    this.#others.add(connection);
    return connection;
  }

  release(connection: Connection): void {
    this.#others.delete(connection);
    closeConnection(connection);
  }

  /** At once; commands that are under way reject. */
  close(): void {
    for (const connection of this.#others) closeConnection(connection);
    this.#others.clear();
    closeConnection(this.#connection);
  }
}
