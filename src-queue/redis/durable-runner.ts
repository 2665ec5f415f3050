/**
 * Runs a script and waits until what it wrote is as safe as was asked: in the append-only file on the disk, or on a
 * replica. Both are asked for on the connection that wrote, in the same round trip, so that no failover can come between
 * the write and the question. A call that is repeated may find its work done already and write nothing, and Redis 7.2
 * and later would then wait for nothing: so each call also writes the field `fence`.
 *
 * A connection waits where it asks. Hence one of its own, opened with the first call.
 */
import { type ChainableCommander, Cluster } from 'ioredis';
import type { Connection } from './connection';
import { type Durable, PROMISES, type Replies } from './durable-promises';
import type { LayoutGate } from './layout-gate';
import { type Patience, untilKnown } from './repetition';
import { OTHER_LAYOUT, type Script, type ScriptArg } from './script';

export interface DurableAnswer<Output> {
  output: Output;
  /** Why the script's writes are not as safe as asked, though they are made; null where they are. */
  shortfall: string | null;
}

interface DurableRunnerDeps extends Omit<Patience, 'connection'> {
  open: () => Connection;
  gate: LayoutGate;
}

export class DurableRunner {
  readonly #deps: DurableRunnerDeps;
  #connection: Connection | null = null;

  constructor(deps: DurableRunnerDeps) {
    this.#deps = deps;
  }

  /**
   * @param key the script's KEYS[1], a hash
   * @throws {QueueError} NOT_DURABLE, with nothing written, where this Redis cannot keep the promise at all;
   *   REDIS_UNREACHABLE after `patienceMs`, REDIS_FULL, STORAGE, STORE_DAMAGED, STORE_LAYOUT
   */
  async run<Input, Output>(
    script: Script<Input, Output>,
    key: string,
    input: Input,
    level: Durable,
  ): Promise<DurableAnswer<Output>> {
    const { gate, open, ...patience } = this.#deps;
    this.#connection ??= open();
    const connection = this.#connection;
    const args = script.args(input);
    const promise = PROMISES[level];
    return untilKnown({ ...patience, connection }, `${script.name} with ${key}`, async (repeated) => {
      await gate.pass();
      // A pipeline is not sent on to where a slot has gone, as a single command is.
      if (repeated && connection instanceof Cluster) connection.refreshSlotsCache();
      const [, ...seen] = await pipelined(connection, (calls) => promise.look(calls.exists(key)), 1);
      promise.check(seen);
      const [reply, , ...confirmation] = await write(connection, script, key, args, promise.ask);
      if (reply?.[1] === OTHER_LAYOUT) await gate.refused(key);
      return { output: script.read(reply?.[1], input, repeated), shortfall: promise.shortfall(confirmation) };
    });
  }
}

type Ask = (calls: ChainableCommander) => ChainableCommander;

async function write(
  connection: Connection,
  { sha, source }: Script<never, unknown>,
  key: string,
  args: ScriptArg[],
  ask: Ask,
): Promise<Replies> {
  const written = (run: Ask) => pipelined(connection, (calls) => ask(run(calls).hset(key, 'fence', 1)), 2);
  try {
    return await written((calls) => calls.evalsha(sha, 1, key, ...args));
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return written((calls) => calls.eval(source, 1, key, ...args));
  }
}

/** @throws the error of one of the first `vital` commands */
async function pipelined(connection: Connection, fill: Ask, vital: number): Promise<Replies> {
  const replies = (await fill(connection.pipeline()).exec()) ?? [];
  for (const [error] of replies.slice(0, vital)) if (error) throw error;
  return replies;
}
