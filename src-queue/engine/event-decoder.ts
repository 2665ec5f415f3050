/** Entries of the event stream as the scripts pack them: `n <number> [w <worker>] <kind> <items>…`. */
import { TASK_STATUSES, type TaskEvent, type TaskStatus } from '../contract/lifecycle';
import { unescapeText } from '../kernel/escape';
import { ID_LENGTH } from '../kernel/ids';
import { decodeItem } from '../redis/task-record';
import type { TaskChange } from './ports';

const CREATED_STATUS: Record<string, TaskStatus> = { r: 'pending', s: 'scheduled', b: 'blocked' };
/** Set names that are not statuses. */
const SET_STATUS: Record<string, TaskStatus> = { parked: 'pending', leases: 'processing' };
const isStatus = (text: string): text is TaskStatus => (TASK_STATUSES as readonly string[]).includes(text);

const ENDS: Record<string, { event: TaskEvent; status: TaskStatus }> = {
  F: { event: 'retrying', status: 'retrying' },
  D: { event: 'failed', status: 'failed' },
  X: { event: 'cancelled', status: 'cancelled' },
  R: { event: 'released', status: 'pending' },
  Z: { event: 'snoozed', status: 'scheduled' },
  L: { event: 'lease_lost', status: 'pending' },
  E: { event: 'expired', status: 'failed' },
  Q: { event: 'requeued', status: 'pending' },
  M: { event: 'removed', status: 'cancelled' },
  U: { event: 'updated', status: 'pending' },
};

export interface DecodedEntry {
  changes: TaskChange[];
  /** Of the entry's first event. */
  number: number;
  /** That the next entry must have. */
  next: number;
}

export function decodeEntry(queue: string, entryId: string, fields: readonly string[]): DecodedEntry {
  const at = Number(entryId.slice(0, entryId.indexOf('-')));
  let number = 0;
  let worker: string | null = null;
  const changes: TaskChange[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [kind = '', value = ''] = [fields[i], fields[i + 1]];
    if (kind === 'n') number = Number(value);
    else if (kind === 'w') worker = value;
    else for (const item of value.split(',')) changes.push(decodeChange(kind, item, queue, at, worker));
  }
  return { changes, number, next: number + changes.length };
}

/** A busy store has a hundred thousand of them a second. Each is one literal: to spread objects takes ten times as long. */
function decodeChange(kind: string, text: string, queue: string, at: number, worker: string | null): TaskChange {
  const id = text.slice(0, ID_LENGTH);
  const rest = text.slice(ID_LENGTH);
  switch (kind) {
    case 'q':
      return {
        queue,
        at,
        id,
        event: 'created',
        status: CREATED_STATUS[rest.charAt(0)] ?? 'pending',
        priority: 10 - Number(rest.charAt(1)),
        maxRetries: Math.max(0, Number(rest.slice(2, 6)) - 1),
        attempts: 0,
        type: rest.slice(6),
      };
    case 'p':
      return {
        queue,
        at,
        id,
        event: 'promoted',
        status: 'pending',
        priority: 10 - Number(rest.charAt(0)),
        type: rest.slice(1),
      };
    case 'b':
      return {
        queue,
        at,
        id,
        event: 'unblocked',
        status: CREATED_STATUS[rest.charAt(0)] ?? 'pending',
        priority: 10 - Number(rest.charAt(1)),
        type: rest.slice(2),
      };
    case 's':
      return ofItem(rest, queue, at, id, 'started', 'processing', worker);
    case 'c':
      return ofItem(rest, queue, at, id, 'completed', 'completed', worker);
    case 'g': {
      const [item = '', percent, message = ''] = rest.split('|');
      const change = ofItem(item, queue, at, id, 'progress', 'processing');
      change.progress = Number(percent);
      change.progressMessage = message === '' ? null : unescapeText(message);
      return change;
    }
    default:
      return decodeEnd(rest, queue, at, id, worker);
  }
}

function decodeEnd(rest: string, queue: string, at: number, id: string, worker: string | null): TaskChange {
  const end = ENDS[rest.charAt(0)] ?? { event: 'updated' as const, status: 'pending' as const };
  const [item = '', extra = '', fingerprint = '', title = ''] = rest.slice(1).split('|');
  const change = ofItem(item, queue, at, id, end.event, end.status, worker ?? undefined);
  if (end.event === 'removed' || end.event === 'updated') {
    const status = SET_STATUS[extra] ?? extra;
    if (end.event === 'updated' && fingerprint !== '') change.maxRetries = Number(fingerprint); // stands in its place
    if (isStatus(status)) change.status = status;
    return change;
  }
  if (end.event === 'retrying' || end.event === 'snoozed') change.dueAt = Number(extra);
  if (title !== '') {
    const text = unescapeText(title);
    const colon = text.indexOf(': ');
    change.error = { name: colon === -1 ? text : text.slice(0, colon), fingerprint };
  }
  return change;
}

/** @param worker told where it is given, be it null */
function ofItem(
  text: string,
  queue: string,
  at: number,
  id: string,
  event: TaskEvent,
  status: TaskStatus,
  worker?: string | null,
): TaskChange {
  const { type, priority, attempt, startedAt } = decodeItem(text);
  const change: TaskChange = { queue, at, id, event, status, type, priority, attempts: attempt };
  if (startedAt !== null) change.startedAt = startedAt;
  if (worker !== undefined) change.workerId = worker;
  return change;
}
