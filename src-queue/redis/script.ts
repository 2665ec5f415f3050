/**
 * Scripts: one `.lua` file and one wrapper of the same name each. The wrapper is the only place that knows
 * positions and reply numbers.
 */
import { createHash } from 'node:crypto';
import type { LayoutGate } from './layout-gate';
import { type Patience, untilKnown } from './repetition';
import { joinScript } from './script-source';

export type ScriptArg = string | number;

export interface Script<Input, Output> {
  readonly name: string;
  readonly source: string;
  readonly sha: string;
  args(input: Input): ScriptArg[];
  /** @param repeated the call was made before, and its answer was lost: what is asked for may be done already */
  read(reply: unknown, input: Input, repeated: boolean): Output;
}

/** A script with what it needs of the shared pieces that it names; joined when it is first run, as no process runs them all. */
export function defineScript<Input, Output>(definition: {
  name: string;
  lua: string;
  lib: readonly string[];
  args: (input: Input) => ScriptArg[];
  read: (reply: unknown, input: Input, repeated: boolean) => Output;
}): Script<Input, Output> {
  const { name, lua, lib, args, read } = definition;
  let joined: { source: string; sha: string } | undefined;
  const join = () => {
    const source = joinScript(lua, lib);
    return { source, sha: createHash('sha1').update(source).digest('hex') };
  };
  const text = () => (joined ??= join());
  return {
    name,
    get source() {
      return text().source;
    },
    get sha() {
      return text().sha;
    },
    args,
    read,
  };
}

/** What every script answers to a layout that it does not know. */
export const OTHER_LAYOUT = -1;

/** Runs scripts by their hash. */
export class ScriptRunner {
  readonly #patience: Patience;
  readonly #gate: LayoutGate;

  constructor(patience: Patience, gate: LayoutGate) {
    this.#patience = patience;
    this.#gate = gate;
  }

  /**
   * @param key the script's KEYS[1]
   * @throws {QueueError} REDIS_UNREACHABLE after `patienceMs`, REDIS_FULL, STORAGE, STORE_DAMAGED, STORE_LAYOUT
   */
  async run<Input, Output>(script: Script<Input, Output>, key: string, input: Input): Promise<Output> {
    const args = script.args(input);
    return untilKnown(this.#patience, `${script.name} with ${key}`, async (repeated) => {
      await this.#gate.pass();
      const reply = await this.#evaluate(script, key, args);
      if (reply === OTHER_LAYOUT) await this.#gate.refused(key);
      return script.read(reply, input, repeated);
    });
  }

  async #evaluate(script: Script<never, unknown>, key: string, args: ScriptArg[]): Promise<unknown> {
    const { connection } = this.#patience;
    try {
      return await connection.evalsha(script.sha, 1, key, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return connection.eval(script.source, 1, key, ...args); // also loads it, on the very node that lacks it
    }
  }
}
