/**
 * Scripts: one `.lua` file and one wrapper of the same name each. The wrapper is the only place that knows
 * positions and reply numbers; the runner is the only place that knows what may be repeated.
 */
import { createHash } from 'node:crypto';
import { QueueError } from '../contract/errors';
import type { Clock } from '../kernel/clock';
import { type Connection, whenReady } from './connection';
import type { LayoutGate } from './layout-gate';

export type ScriptArg = string | number;

export interface Script<Input, Output> {
  readonly name: string;
  readonly source: string;
  readonly sha: string;
  args(input: Input): ScriptArg[];
  /** @param repeated the call was made before, and its answer was lost: what is asked for may be done already */
  read(reply: unknown, input: Input, repeated: boolean): Output;
}

/**
 * Joins a script with the shared pieces that it names. The shebang line stays first: it declares, for Redis, what
 * the script may do when memory is full.
 */
export function defineScript<Input, Output>(definition: {
  name: string;
  lua: string;
  lib: readonly string[];
  args: (input: Input) => ScriptArg[];
  read: (reply: unknown, input: Input, repeated: boolean) => Output;
}): Script<Input, Output> {
  const { name, lua, lib, args, read } = definition;
  const firstLine = lua.indexOf('\n') + 1;
  const source = lua.slice(0, firstLine) + [...lib, lua.slice(firstLine)].join('\n');
  return { name, source, sha: createHash('sha1').update(source).digest('hex'), args, read };
}

/** Errors after which the outcome is unknown or nothing was done: the same call may be made again. */
const TRANSIENT =
  /^(LOADING|READONLY|CLUSTERDOWN|TRYAGAIN|MASTERDOWN|BUSY|NOREPLICAS|MOVED|ASK|UNBLOCKED)|isn't ready|closed|timeout|timed out|writeable|ECONN|EPIPE|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENOTFOUND|Max|flushed|All sentinels|Failed to refresh|None of startup|Too many Cluster|non local key/i;

export const isTransient = (error: unknown): boolean => error instanceof Error && TRANSIENT.test(error.message);

/** What every script answers to a layout that it does not know. */
export const OTHER_LAYOUT = -1;
const RETRY_DELAY_MS = 50;

export interface RunnerDeps {
  connection: Connection;
  gate: LayoutGate;
  clock: Clock;
  /** How long a call is repeated while Redis is away, ms. */
  patienceMs: number;
}

/** Runs scripts by their hash, repeats them with the same arguments while the outcome is unknown. */
export class ScriptRunner {
  readonly #deps: RunnerDeps;

  constructor(deps: RunnerDeps) {
    this.#deps = deps;
  }

  /**
   * @param key the script's KEYS[1]
   * @throws {QueueError} REDIS_UNREACHABLE after `patienceMs`, REDIS_FULL, STORAGE, STORE_DAMAGED, STORE_LAYOUT
   */
  async run<Input, Output>(script: Script<Input, Output>, key: string, input: Input): Promise<Output> {
    const { connection, gate, clock, patienceMs } = this.#deps;
    const args = script.args(input);
    const deadline = clock.monotonic() + patienceMs;
    for (let repeated = false; ; repeated = true) {
      try {
        await gate.pass();
        const reply = await this.#evaluate(script, key, args);
        if (reply === OTHER_LAYOUT) await gate.refused(key);
        return script.read(reply, input, repeated);
      } catch (error) {
        const left = deadline - clock.monotonic();
        if (!isTransient(error) || left <= 0) throw explain(error, `${script.name} with ${key}`);
        if (await whenReady(connection, left)) await clock.sleep(Math.min(left, RETRY_DELAY_MS));
      }
    }
  }

  async #evaluate(script: Script<never, unknown>, key: string, args: ScriptArg[]): Promise<unknown> {
    const { connection } = this.#deps;
    try {
      return await connection.evalsha(script.sha, 1, key, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return connection.eval(script.source, 1, key, ...args); // also loads it, on the very node that lacks it
    }
  }
}

/** An error of Redis as one of ours; `what` names the script or command. */
export function explain(error: unknown, what: string): Error {
  if (error instanceof QueueError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (message.startsWith('OOM') || message.includes('OOM command not allowed')) {
    return new QueueError('REDIS_FULL', 'Redis has reached its maxmemory: new tasks are refused until there is room', {
      cause: error,
    });
  }
  if (message.startsWith('MISCONF')) {
    return new QueueError('STORAGE', `Redis cannot write to its disk: ${message}`, { cause: error });
  }
  if (message.startsWith('WRONGTYPE')) {
    const text = `a key is of another type than Millrace made it (${what}): "millrace doctor" names it`;
    return new QueueError('STORE_DAMAGED', text, { cause: error });
  }
  if (isTransient(error))
    return new QueueError('REDIS_UNREACHABLE', `Redis did not answer (${message})`, { cause: error });
  return new Error(`${what}: ${message}`, { cause: error });
}
