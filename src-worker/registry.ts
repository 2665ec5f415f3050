/** Which handler runs which task type. Two handlers for one type or alias are a mistake that is told at the start. */

import { z } from 'zod';
import type { JsonValue } from '#queue/contract/primitives';
import type { AnnouncedType } from '#queue/engine/ports';
import type { AnyHandler, HandlerContext } from './handler';

/** A handler of either kind, ready to run. */
export interface TaskHandler {
  readonly type: string;
  readonly aliases: readonly string[];
  readonly description: string | null;
  readonly schema: z.ZodType | null;
  readonly timeoutMs: number | null;
  /** Where it comes from: a file, or `built in`. For errors. */
  readonly source: string;
  run(context: HandlerContext<unknown>): unknown;
}

export interface HandlerSource {
  handler: AnyHandler;
  source: string;
  /** Where an exec handler's program starts. */
  folder: string;
}

export type RunProgram = (
  program: { command: readonly [string, ...string[]]; folder: string; env: Readonly<Record<string, string>> },
  context: HandlerContext<unknown>,
) => Promise<unknown>;

export function toTaskHandler({ handler, source, folder }: HandlerSource, runProgram: RunProgram): TaskHandler {
  return {
    type: handler.type,
    aliases: handler.aliases ?? [],
    description: handler.description ?? null,
    schema: handler.payload ?? null,
    timeoutMs: handler.timeout === undefined ? null : handler.timeout * 1000,
    source,
    run:
      'exec' in handler
        ? (context) => runProgram({ command: handler.exec, folder, env: handler.env ?? {} }, context)
        : (context) => handler.run(context),
  };
}

export class DuplicateTypeError extends Error {
  override readonly name = 'DuplicateTypeError';
}

export class Registry {
  readonly #byType = new Map<string, TaskHandler>();
  /** Every type and alias, in the order of registration. */
  readonly types: readonly string[];

  /** @throws DuplicateTypeError naming every pair */
  constructor(handlers: readonly TaskHandler[]) {
    const clashes: string[] = [];
    for (const handler of handlers) {
      for (const type of new Set([handler.type, ...handler.aliases])) {
        const other = this.#byType.get(type);
        if (other === undefined) this.#byType.set(type, handler);
        else clashes.push(`task type "${type}" has two handlers: ${other.source} and ${handler.source}`);
      }
    }
    if (clashes.length > 0) throw new DuplicateTypeError(clashes.join('\n'));
    this.types = [...this.#byType.keys()];
  }

  get(type: string): TaskHandler | undefined {
    return this.#byType.get(type);
  }

  announced(): AnnouncedType[] {
    return [...this.#byType].map(([type, handler]) => ({
      task_type: type,
      description: handler.type === type ? handler.description : aliasDescription(handler),
      payload_schema: handler.schema === null ? null : jsonSchemaOf(handler.schema),
      timeout: handler.timeoutMs === null ? null : handler.timeoutMs / 1000,
    }));
  }
}

const aliasDescription = ({ type, description }: TaskHandler): string =>
  description === null ? `The same as ${type}` : `The same as ${type}: ${description}`;

const Schema = z.record(z.string(), z.json());

/** What a payload must look like before the schema has changed anything; null where JSON Schema has no words for it. */
function jsonSchemaOf(schema: z.ZodType): JsonValue | null {
  try {
    return Schema.parse(JSON.parse(JSON.stringify(z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' }))));
  } catch {
    return null; // a schema of another zod, or one that refers to itself in a way JSON Schema cannot follow
  }
}
