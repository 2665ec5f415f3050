/** The dead letters by cause: the groups, and the one that is open with its newest tasks. Folds answers, no I/O. */
import type { FailureGroup, FailureGroupDetail, StackFrame } from '#queue/contract/failure';
import type { Task } from '#queue/contract/task';
import { framePlace } from './stack-lines';

export const GROUP_ORDERS = ['newest', 'most'] as const;
export type GroupOrder = (typeof GROUP_ORDERS)[number];

const NEW_MS = 3_600_000;

/** The first of its failures that are still there is less than an hour old. */
export const isNew = (group: Pick<FailureGroup, 'first_at'>, now: number): boolean =>
  now - Date.parse(group.first_at) < NEW_MS;

/** The class of the error, and its message without what differs. */
export function errorParts({ error, message }: Pick<FailureGroup, 'error' | 'message'>): {
  name: string;
  message: string;
} {
  const end = error.indexOf(': ');
  return { name: end < 0 ? error : error.slice(0, end), message };
}

/** Errors that the queue itself writes down: no handler has thrown them. */
const BY_THE_QUEUE: Readonly<Record<string, string>> = {
  ExpiredError: 'set by the queue, no handler ran',
  DependencyError: 'set by the queue, no handler ran',
  LeaseLostError: 'set by the queue, its worker gave no answer',
};

/** `PspClient.capture · psp/client.ts:118` */
export function frameWords(frame: StackFrame | null): string {
  if (frame === null) return 'no frame of the program';
  return [frame.function, framePlace(frame)].filter(Boolean).join(' · ') || frame.text;
}

/** Where it failed, or who says so. */
export const placeWords = (group: Pick<FailureGroup, 'error' | 'message' | 'top_frame'>): string =>
  (group.top_frame === null ? BY_THE_QUEUE[errorParts(group).name] : undefined) ?? frameWords(group.top_frame);

/** Those that have every word somewhere in type, queue, error or frame. */
export function shownGroups(groups: readonly FailureGroup[], text: string, order: GroupOrder): FailureGroup[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = groups.filter((group) => {
    const { error, message, task_type, queues, top_frame, fingerprint } = group;
    const all = [error, message, task_type, ...queues, top_frame?.text ?? '', fingerprint].join('\n').toLowerCase();
    return words.every((word) => all.includes(word));
  });
  return found.sort((a, b) => (order === 'most' ? b.count - a.count : 0) || b.last_at.localeCompare(a.last_at));
}

export class FailureGroupsStore {
  groups = $state.raw<readonly FailureGroup[]>([]);
  loaded = $state(false);
  error = $state.raw<unknown>(null);
  /** Fingerprint of the group that is open. */
  openId = $state<string | null>(null);
  detail = $state.raw<FailureGroupDetail | null>(null);
  detailError = $state.raw<unknown>(null);
  /** It was emptied while it was open. */
  gone = $state(false);
  /** The newest tasks of the open group; null until they are read. */
  members = $state.raw<readonly Task[] | null>(null);

  replace(groups: readonly FailureGroup[]): void {
    this.groups = groups;
    this.loaded = true;
    this.error = null;
    if (this.openId !== null) this.gone = !groups.some(({ fingerprint }) => fingerprint === this.openId);
  }

  fail(error: unknown): void {
    this.error = error;
  }

  open(fingerprint: string | null): void {
    if (fingerprint === this.openId) return;
    this.openId = fingerprint;
    this.detail = null;
    this.detailError = null;
    this.members = null;
    this.gone = false;
  }

  describe(detail: FailureGroupDetail, members: readonly Task[]): void {
    this.detail = detail;
    this.members = members;
    this.detailError = null;
    this.gone = false;
  }

  failDetail(error: unknown): void {
    this.detailError = error;
  }
}
