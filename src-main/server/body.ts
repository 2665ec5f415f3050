/**
 * Reads request bodies, never more than allowed: what is too long is refused before it is held, with or without a
 * declared length, and what dribbles in is given up.
 */
import { QueueError } from '#queue/contract/errors';
import { LIMITS } from '#queue/contract/limits';
import { findPayloadFault } from '#queue/contract/payload';
import type { Clock } from '#queue/kernel/clock';
import { invalid } from './problem';

/** For a whole body, or, where it is streamed, for the next part of it. */
export const BODY_DEADLINE_MS = 30_000;

export interface BodyRules {
  maxBytes: number;
  clock: Clock;
}

/** `application/json; charset=utf-8` → `application/json`; null where it is absent. @throws UNSUPPORTED_MEDIA_TYPE for another charset */
export function mediaTypeOf(headers: Headers): string | null {
  const value = headers.get('content-type');
  if (value === null) return null;
  const [type = '', ...parameters] = value.split(';').map((part) => part.trim().toLowerCase());
  const charset = parameters
    .find((parameter) => parameter.startsWith('charset='))
    ?.slice('charset='.length)
    .replaceAll('"', '');
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') {
    throw new QueueError('UNSUPPORTED_MEDIA_TYPE', `the charset must be utf-8, not ${charset}`);
  }
  return type;
}

/** @returns the content type, one of `accepted` @throws {QueueError} UNSUPPORTED_MEDIA_TYPE */
export function requireMediaType(headers: Headers, accepted: readonly string[]): string {
  const encoding = headers.get('content-encoding');
  if (encoding !== null && encoding.toLowerCase() !== 'identity') {
    throw new QueueError('UNSUPPORTED_MEDIA_TYPE', 'a compressed body is not accepted');
  }
  const type = mediaTypeOf(headers);
  if (type === null || !accepted.includes(type)) {
    throw new QueueError(
      'UNSUPPORTED_MEDIA_TYPE',
      `the Content-Type must be ${accepted.join(' or ')}${type === null ? '' : `, not ${type}`}`,
    );
  }
  return type;
}

/** The parts of a body as they come. @throws {QueueError} BODY_TOO_LARGE; BAD_REQUEST where it breaks off or stalls */
export async function* bodyParts(request: Request, { maxBytes, clock }: BodyRules): AsyncGenerator<Uint8Array> {
  refuseDeclaredLength(request.headers, maxBytes);
  if (request.body === null) return;
  const reader = request.body.getReader();
  let bytes = 0;
  let finished = false;
  try {
    for (;;) {
      const part = await withDeadline(reader.read(), clock);
      if (part.done) break;
      bytes += part.value.byteLength;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      yield part.value;
    }
    finished = true;
  } finally {
    // What is left of a refused body is not read: the connection ends with the answer.
    if (!finished) reader.cancel().catch(() => undefined);
  }
}

/** The whole body; empty where there is none. @throws as `bodyParts` */
export async function readBody(request: Request, rules: BodyRules): Promise<Uint8Array> {
  const declared = refuseDeclaredLength(request.headers, rules.maxBytes);
  if (declared !== null)
    return declared === 0 ? new Uint8Array() : new Uint8Array(await withDeadline(request.arrayBuffer(), rules.clock));
  const parts: Uint8Array[] = [];
  for await (const part of bodyParts(request, rules)) parts.push(part);
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : new Uint8Array(Buffer.concat(parts));
}

/** @throws {QueueError} BAD_JSON, also where it is not UTF-8; INVALID where it is nested without end */
export function parseJson(bytes: Uint8Array): unknown {
  refuseEndlessNesting(bytes);
  const text = decodeUtf8(bytes);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new QueueError(
      'BAD_JSON',
      `the body is not JSON: ${error instanceof Error ? error.message : 'it cannot be read'}`,
    );
  }
}

/** Shorter ones cannot be nested so deep that it takes long. */
const LOOKED_AT_BYTES = 32 * 1024;
const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d];

/**
 * The parser takes a microsecond for a level, and nobody is served meanwhile: ten million of them are ten seconds. Looks
 * at the text alone, and does not care whether it is JSON.
 * @throws {QueueError} INVALID that names the field
 */
function refuseEndlessNesting(bytes: Uint8Array): void {
  if (bytes.byteLength <= LOOKED_AT_BYTES) return;
  const end = bytes.length; // asked for once: to ask takes longer than to look at a byte
  let depth = 0;
  let key: [number, number] = [0, 0];
  for (let at = 0; at < end; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      const start = at + 1;
      for (at++; at < end && bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++;
      if (depth === 1) key = [start, at];
    } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      if (++depth <= LIMITS.parsedDepth) continue;
      const path = Buffer.from(bytes.subarray(...key)).toString();
      throw invalid([{ path, message: `is nested deeper than ${LIMITS.payloadDepth} levels` }]);
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--;
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch (error) {
    throw new QueueError('BAD_JSON', 'the body is not UTF-8', { cause: error });
  }
}

/**
 * Looks at a body as it was parsed, before any schema copies it: a `__proto__` key, infinite numbers and hostile
 * nesting are refused wherever they are. Depth counts from each top-level field, so a payload is level 1.
 * @throws {QueueError} INVALID that names the field
 */
export function refuseHostileValues(body: unknown): void {
  if (typeof body !== 'object' || body === null) return;
  refuseCrowd(body);
  for (const [key, value] of Object.entries(body)) {
    const fault =
      key === '__proto__' ? { path: key, message: 'is not allowed as a key' } : findPayloadFault(value, key);
    if (fault !== null) throw invalid([fault]);
  }
}

/** No request has so many fields. To name each of a million that are not known takes seconds. @throws {QueueError} INVALID */
export function refuseCrowd(body: unknown): void {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return;
  if (Object.keys(body).length > LIMITS.bodyFields)
    throw invalid([{ path: '', message: `has more than ${LIMITS.bodyFields} fields` }]);
}

function refuseDeclaredLength(headers: Headers, maxBytes: number): number | null {
  const length = headers.get('content-length');
  if (length === null) return null;
  if (Number(length) > maxBytes) throw tooLarge(maxBytes);
  return Number(length);
}

const tooLarge = (maxBytes: number): QueueError =>
  new QueueError('BODY_TOO_LARGE', `the body must be at most ${maxBytes} bytes`, { extra: { limit_bytes: maxBytes } });

/** A reason spares the runtime an exception with its stack, for every request. */
const SETTLED = 'settled';

async function withDeadline<T>(reading: Promise<T>, clock: Clock): Promise<T> {
  const done = new AbortController();
  const late = clock.sleep(BODY_DEADLINE_MS, done.signal).then(() => {
    if (!done.signal.aborted)
      throw new QueueError('BAD_REQUEST', `the body did not arrive within ${BODY_DEADLINE_MS / 1000} s`);
    return reading;
  });
  try {
    return await Promise.race([reading, late]);
  } catch (error) {
    if (error instanceof QueueError) throw error;
    throw new QueueError('BAD_REQUEST', 'the body broke off', { cause: error });
  } finally {
    done.abort(SETTLED);
    late.catch(() => undefined);
  }
}
