/**
 * Turns whatever a handler threw into what is stored of it. Anything may be thrown: undefined, a frozen object, a
 * Proxy whose traps throw, an error whose `message` is a getter that throws. None of them may hurt the worker, so
 * every look at the thrown value is guarded, and nothing here throws.
 */
import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { LIMITS } from '#queue/contract/limits';
import { eachFrame, topFrame } from '#queue/contract/stack-frames';
import type { FailureReport } from '#queue/engine/ports';
import { normalisedMessage } from '#queue/kernel/varying-text';
import { safeText, safeTextBytes } from './safe-text';

/** Stacks of late attempts are cut shorter, so that the history of a hundred attempts stays small. */
const FULL_STACK_ATTEMPTS = 4;
const LATE_STACK_BYTES = 512;
const NAME_LENGTH = 100;
const CAUSES = 3;

export interface Described {
  name: string;
  message: string;
  stack: string | null;
}

function guarded<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined; // a getter or a Proxy trap threw: the value keeps its secret
  }
}

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';
const property = (value: unknown, key: string): unknown =>
  isObject(value) ? guarded(() => Reflect.get(value, key) as unknown) : undefined;
const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** True for an instance of `kind`, and for an error of that name from another copy of the module. */
export const isError = <T extends Error>(
  thrown: unknown,
  kind: abstract new (...args: never[]) => T,
  name: string,
): thrown is T => guarded(() => thrown instanceof kind) === true || property(thrown, 'name') === name;

/** The number in a field of a thrown value; undefined where there is none. */
export function numberIn(thrown: unknown, key: string): number | undefined {
  const value = property(thrown, key);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** Some errors (a refused connection over several addresses) carry no message of their own. */
function messageOfSilent(thrown: object): string {
  const inner = property(thrown, 'errors');
  const messages = (guarded(() => Array.isArray(inner)) ? (inner as unknown[]) : [])
    .slice(0, CAUSES)
    .map((error) => textOf(property(error, 'message')))
    .filter((message) => message !== undefined);
  return messages.join('; ') || textOf(property(thrown, 'code')) || '';
}

const preview = (value: object): string =>
  guarded(() =>
    inspect(value, {
      depth: 2,
      breakLength: Number.POSITIVE_INFINITY,
      maxArrayLength: 20,
      maxStringLength: 200,
      customInspect: false,
    }),
  ) ?? 'an object that cannot be looked at';

function stackOf(thrown: object, name: string, message: string, causes: number): string | null {
  const own = textOf(property(thrown, 'stack'));
  if (own === undefined) return null;
  const frames = own
    .slice(0, 64 * 1024)
    .split('\n')
    .filter((line) => /^\s+at /.test(line));
  const cause = property(thrown, 'cause');
  const because = isObject(cause) && causes > 0 ? descriptionOf(cause, causes - 1) : null;
  return [
    `${name}: ${safeText(message, LIMITS.errorMessageLength)}`,
    ...frames,
    ...(because === null ? [] : [`Caused by: ${because.stack ?? `${because.name}: ${because.message}`}`]),
  ].join('\n');
}

function descriptionOf(thrown: unknown, causes: number): Described {
  if (!isObject(thrown)) {
    const message = typeof thrown === 'string' ? thrown : `threw ${String(thrown)}`;
    return { name: 'NonError', message: safeText(message, LIMITS.errorMessageLength), stack: null };
  }
  const message = property(thrown, 'message');
  const isLikeError = typeof message === 'string';
  const named = textOf(property(thrown, 'name')) ?? textOf(property(property(thrown, 'constructor'), 'name'));
  const name = safeText((isLikeError ? named : undefined) ?? 'NonError', NAME_LENGTH);
  const text = isLikeError ? message || messageOfSilent(thrown) : preview(thrown);
  return { name, message: safeText(text, LIMITS.errorMessageLength), stack: stackOf(thrown, name, text, causes) };
}

export const describeThrown = (thrown: unknown): Described => descriptionOf(thrown, CAUSES);

/** The first frame outside Node and node_modules: function and file, without the line, which every edit moves. */
function place(stack: string | null): string {
  const frame = topFrame(eachFrame(stack));
  return frame === null ? '' : `${frame.function ?? ''} ${frame.file?.split(/[\\/]/).pop() ?? ''}`;
}

/** Eight hex characters, equal for failures with the same cause: same class, same message but for its values, same place. */
export const fingerprintOf = ({ name, message, stack }: Described): string =>
  createHash('sha1')
    .update(`${name}\n${normalisedMessage(message)}\n${place(stack)}`)
    .digest('hex')
    .slice(0, 8);

export function failureReport(
  thrown: unknown,
  at: { attempt: number; progress: number; progressMessage?: string | null },
): FailureReport {
  const described = describeThrown(thrown);
  const stackBytes = at.attempt > FULL_STACK_ATTEMPTS ? LATE_STACK_BYTES : LIMITS.errorStackLength;
  return {
    name: described.name,
    message: described.message,
    stack: described.stack === null ? null : safeTextBytes(described.stack, stackBytes),
    fingerprint: fingerprintOf(described),
    progress: at.progress,
    ...(at.progressMessage && { progressMessage: at.progressMessage }),
  };
}
