/** The two edges of a handler: the stored payload on its way in, the result on its way out. Both are JSON text. */

import type { z } from 'zod';
import { LIMITS } from '#queue/contract/limits';
import { describeThrown } from './error-report';
import { FatalError } from './handler';
import { safeText } from './safe-text';

/** The payload does not fit the handler's schema: no retry can mend that. */
export class PayloadError extends FatalError {
  override readonly name = 'PayloadError';
}

/** What the handler returned cannot be stored: no retry can mend that. */
export class ResultError extends FatalError {
  override readonly name = 'ResultError';
}

const FAULTS_NAMED = 5;

/**
 * Most schemas answer at once. Those with asynchronous parts throw when they are asked so, and are asked again.
 * @throws PayloadError naming the fields that do not fit; `later` rejects with it
 */
export function readPayload(text: string, schema: z.ZodType | null): { value: unknown } | { later: Promise<unknown> } {
  const value = parsePayload(text);
  if (schema === null) return { value };
  let outcome: z.ZodSafeParseResult<unknown>;
  try {
    outcome = schema.safeParse(value);
  } catch {
    return { later: readLater(value, schema) };
  }
  return { value: accepted(outcome) };
}

async function readLater(value: unknown, schema: z.ZodType): Promise<unknown> {
  try {
    return accepted(await schema.safeParseAsync(value));
  } catch (error) {
    if (error instanceof PayloadError) throw error;
    throw new PayloadError(`the payload's schema threw: ${describeThrown(error).message}`, { cause: error });
  }
}

function parsePayload(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new PayloadError('the payload is not JSON', { cause: error });
  }
}

function accepted(outcome: z.ZodSafeParseResult<unknown>): unknown {
  if (outcome.success) return outcome.data;
  const issues = outcome.error.issues;
  const faults = issues
    .slice(0, FAULTS_NAMED)
    .map(({ path, message }) => `${['payload', ...path.map(String)].join('.')}: ${message}`);
  const more = issues.length > FAULTS_NAMED ? `; and ${issues.length - FAULTS_NAMED} more` : '';
  throw new PayloadError(safeText(faults.join('; ') + more, LIMITS.errorMessageLength));
}

/** @returns JSON text; `undefined` is null. @throws ResultError where the value cannot be JSON, or is too large */
export function encodeResult(value: unknown): string {
  if (value === undefined) return 'null';
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw new ResultError(`the result cannot be written as JSON: ${describeThrown(error).message}`, { cause: error });
  }
  if (text === undefined) throw new ResultError(`the result cannot be written as JSON: it is a ${typeof value}`);
  // A UTF-16 unit is at most three bytes of UTF-8: most results need no counting.
  if (text.length * 3 <= LIMITS.resultBytes) return text;
  const bytes = Buffer.byteLength(text);
  if (bytes <= LIMITS.resultBytes) return text;
  throw new ResultError(
    `the result is too large: ${bytes} bytes as JSON, at most ${LIMITS.resultBytes}; keep it as an artifact and return its name`,
  );
}
