/**
 * The bytes of a task: its record (written once, at submit, then changed in place in its first 33 bytes) and its
 * history (one segment per ended attempt). docs/redis-layout.md has a worked example.
 */
import type { BackoffSpec } from '../kernel/backoff';
import { escapeText, unescapeText } from '../kernel/escape';

export const FLAG = { unique: 1, expires: 2, needed: 4, history: 8, cancel: 32 } as const;
const FLAG_ZERO = 48;
const HEAD_TEXT = 33;
const DEFAULT_TIMEOUT_MS = 300_000;
const DEFAULT_RETRIES = 3;
const DEFAULT_BACKOFF: BackoffSpec = { type: 'exponential', baseMs: 1000, maxMs: 300_000, jitter: 0.2 };

/** The part of a task that its record keeps. */
export interface RecordFields {
  type: string;
  priority: number;
  /** JSON text of an object. Opaque to the engine: stored and handed to the worker byte for byte. */
  payload: string;
  name: string | null;
  maxRetries: number;
  timeoutMs: number;
  backoff: BackoffSpec;
  runAt: number | null;
  expiresAt: number | null;
  dependsOn: readonly string[];
  tags: readonly string[];
  owner: string | null;
  idempotencyKey: string | null;
  uniqueKey: string | null;
  /** Fields of the head that a later version has added, as they stand there: they are kept. */
  later?: readonly string[];
}

export interface DecodedRecord extends RecordFields {
  /** Attempts that ended or were lost. While it runs, the active line has the number. */
  attemptsEnded: number;
  createdAt: number;
  maxAttempts: number;
  tags: string[];
  dependsOn: string[];
}

const sameBackoff = (a: BackoffSpec, b: BackoffSpec) =>
  a.type === b.type && a.baseMs === b.baseMs && a.maxMs === b.maxMs && a.jitter === b.jitter;

const encodeBackoff = (backoff: BackoffSpec): string =>
  sameBackoff(backoff, DEFAULT_BACKOFF)
    ? ''
    : [backoff.type.charAt(0), backoff.baseMs, backoff.maxMs, backoff.jitter].join(':');

function decodeBackoff(text: string): BackoffSpec {
  if (text === '') return DEFAULT_BACKOFF;
  const [type, baseMs, maxMs, jitter] = text.split(':');
  return {
    type: type === 'f' ? 'fixed' : 'exponential',
    baseMs: Number(baseMs),
    maxMs: Number(maxMs),
    jitter: Number(jitter),
  };
}

/**
 * Bytes 28 and up of a record: what submit and patch write.
 * @param keep of a record that is there already: its flags stay as they are, since they say what still counts. An expiry
 *   that an operator has overruled stands in the text for ever, and would count again.
 */
export function encodeSpec(task: RecordFields, keep: { maxAttempts: number; flags: number } | null = null): string {
  const flags =
    keep?.flags ?? (task.uniqueKey === null ? 0 : FLAG.unique) | (task.expiresAt === null ? 0 : FLAG.expires);
  const fields = [
    task.type,
    task.timeoutMs === DEFAULT_TIMEOUT_MS ? '' : String(task.timeoutMs),
    encodeBackoff(task.backoff),
    task.expiresAt === null ? '' : String(task.expiresAt),
    escapedOrEmpty(task.owner),
    escapedOrEmpty(task.uniqueKey),
    task.tags.length === 0 ? '' : task.tags.map(escapeText).join(';'),
    escapedOrEmpty(task.name),
    escapedOrEmpty(task.idempotencyKey),
    task.maxRetries === DEFAULT_RETRIES ? '' : String(task.maxRetries),
    task.dependsOn.length === 0 ? '' : task.dependsOn.join(';'),
    task.runAt === null ? '' : String(task.runAt),
  ];
  if (task.later !== undefined) fields.push(...task.later);
  const head = withoutEmptyEnd(fields);
  const most = String(keep?.maxAttempts ?? task.maxRetries + 1).padStart(4, '0');
  return `${most}${10 - task.priority}${String.fromCharCode(FLAG_ZERO + flags)}${head}\n${task.payload}`;
}

const escapedOrEmpty = (text: string | null): string => (text === null ? '' : escapeText(text));

/** Joined by bars, the first of them always there. Most tasks have a type and nothing else that is not as usual. */
function withoutEmptyEnd(fields: readonly string[]): string {
  let count = fields.length;
  while (count > 1 && fields[count - 1] === '') count--;
  return count === 1 ? `${fields[0]}|` : fields.slice(0, count).join('|');
}

const orNull = (text: string | undefined): string | null =>
  text === undefined || text === '' ? null : unescapeText(text);
const numberOrNull = (text: string | undefined): number | null =>
  text === undefined || text === '' ? null : Number(text);

export const recordFlags = (record: string): number => record.charCodeAt(32) - FLAG_ZERO;

/** Parses a record; its payload may be cut where only the beginning was read. */
export function decodeRecord(record: string): DecodedRecord {
  const end = record.indexOf('\n', HEAD_TEXT);
  const fields = record.slice(HEAD_TEXT, end).split('|');
  const [type = '', timeout, backoff = '', expires, owner, unique, tags = '', name, key, retries, depends = '', runAt] =
    fields;
  const later = fields.slice(12);
  return {
    attemptsEnded: Number(record.slice(0, 4)),
    createdAt: Number.parseInt(record.slice(16, 27), 16),
    maxAttempts: Number(record.slice(27, 31)),
    priority: 10 - Number(record.charAt(31)),
    type,
    timeoutMs: numberOrNull(timeout) ?? DEFAULT_TIMEOUT_MS,
    backoff: decodeBackoff(backoff),
    expiresAt: numberOrNull(expires),
    owner: orNull(owner),
    uniqueKey: orNull(unique),
    tags: tags === '' ? [] : tags.split(';').map(unescapeText),
    name: orNull(name),
    idempotencyKey: orNull(key),
    maxRetries: numberOrNull(retries) ?? DEFAULT_RETRIES,
    dependsOn: depends === '' ? [] : depends.split(';'),
    runAt: numberOrNull(runAt),
    ...(later.length > 0 && { later }),
    payload: record.slice(end + 1),
  };
}

/** attempt 4, most 4, band 1, started 11, type: the same bytes in active lines, events and history. */
export interface Item {
  attempt: number;
  maxAttempts: number;
  priority: number;
  /** Null where it never started. */
  startedAt: number | null;
  type: string;
}

export function decodeItem(text: string): Item {
  const started = Number.parseInt(text.slice(9, 20), 16);
  return {
    attempt: Number(text.slice(0, 4)),
    maxAttempts: Number(text.slice(4, 8)),
    priority: 10 - Number(text.charAt(8)),
    startedAt: started === 0 ? null : started,
    type: text.slice(20),
  };
}

export interface ActiveLine extends Item {
  cancelRequested: boolean;
  token: string;
  workerId: string;
}

/** flag, item, `|token|worker` */
export function decodeActiveLine(line: string): ActiveLine {
  const bar = line.indexOf('|', 21);
  const stop = line.indexOf('|', bar + 1);
  return {
    ...decodeItem(line.slice(1, bar)),
    cancelRequested: ((line.charCodeAt(0) - FLAG_ZERO) & FLAG.cancel) !== 0,
    token: line.slice(bar + 1, stop),
    workerId: line.slice(stop + 1),
  };
}

/**
 * C completed · F failed, will retry · D dead · X cancelled · R released · Z snoozed · L lease lost, back to pending ·
 * E expired · Q requeued
 */
export type SegmentKind = 'C' | 'F' | 'D' | 'X' | 'R' | 'Z' | 'L' | 'E' | 'Q';

export interface Segment {
  kind: SegmentKind;
  at: number;
  item: Item;
  token: string;
  workerId: string | null;
  /** JSON text; null where only the segment's beginning was read. */
  body: string | null;
}

const TRAILER_BYTES = 9;

/**
 * The segments of a history, oldest first. `text` may be its end only: it is read backwards, so what is cut is the
 * oldest. A leading `+` marks the beginning of one last segment whose body was too long to be read.
 */
export function decodeHistory(text: string): Segment[] {
  if (text === '') return [];
  if (text.startsWith('+')) {
    const segment = decodeSegment(Buffer.from(text.slice(1)), true);
    return segment ? [segment] : [];
  }
  const bytes = Buffer.from(text);
  const segments: Segment[] = [];
  let end = bytes.length;
  while (end > TRAILER_BYTES) {
    const length = Number.parseInt(bytes.toString('latin1', end - TRAILER_BYTES, end - 1), 16);
    const start = end - TRAILER_BYTES - length;
    if (!(length > 0) || start < 0) break;
    const segment = decodeSegment(bytes.subarray(start, end - TRAILER_BYTES), false);
    if (!segment) break;
    segments.unshift(segment);
    end = start;
  }
  return segments;
}

function decodeSegment(bytes: Buffer, cut: boolean): Segment | null {
  const parts: string[] = [];
  let from = 1;
  for (let i = 0; i < 5; i++) {
    const bar = bytes.indexOf('|', from, 'latin1');
    if (bar === -1) return null;
    parts.push(bytes.toString('latin1', from, bar));
    from = bar + 1;
  }
  const [at = '', item = '', token = '', worker = '', length = ''] = parts;
  return {
    kind: String.fromCharCode(bytes[0] ?? 0) as SegmentKind,
    at: Number(at),
    item: decodeItem(item),
    token,
    workerId: worker === '' ? null : worker,
    body: cut ? null : bytes.toString('utf8', from, from + Number(length)),
  };
}

/** No JSON text begins with it. */
const SAID = '\u0001';

/** The body of a `C` segment: the result, and before it, in a line of its own, what the handler said last. */
export const resultBody = (result: string, said: string | null | undefined): string =>
  said ? `${SAID}${escapeText(said)}\n${result}` : result;

export function readResultBody(body: string): { result: string; said: string | null } {
  if (!body.startsWith(SAID)) return { result: body, said: null };
  const end = body.indexOf('\n');
  return { result: body.slice(end + 1), said: unescapeText(body.slice(1, end)) };
}
