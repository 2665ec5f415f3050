import { escapeText } from '../../kernel/escape';
import type { Settle, StandbyRequest, Verdict, WorkCall } from '../calls';
import { defineScript, type ScriptArg } from '../script';
import { resultBody } from '../task-record';
import { list, textList, WORKING } from './lib/pieces';
import writesLua from './lib/work-writes.lua?raw';
import lua from './work.lua?raw';

export interface WorkAnswer {
  /** Wall clock of Redis, Unix ms. */
  now: number;
  nextDueInMs: number | null;
  skipped: boolean;
  verdicts: Verdict[];
  claimed: ClaimedRecord[];
  /** From now on a task may be handed to this worker. */
  standsBy: boolean;
  /** Were handed to this worker, which may have heard of them or not. */
  handed: ClaimedRecord[];
}

export interface ClaimedRecord {
  id: string;
  token: string;
  record: string;
}

const KINDS = { fail: 'F', dead: 'D', cancelled: 'X', release: 'R', snooze: 'Z' } as const;
const VERDICTS: Record<string, Verdict> = { A: 'accepted', R: 'already', F: 'fenced', G: 'gone' };
/** Characters of the message that stand in the title of a failure group. */
const TITLE_MESSAGE = 120;
const NO_FINGERPRINT = '--------';

/** As tokens stand in an active line and in a history, so that the script can look for one as it comes. */
const barred = (token: string): string => `|${token}|`;

const standbyText = ({ forMs, stood, nonce }: StandbyRequest): string => `${forMs}|${stood ? 1 : 0}|${nonce}`;

function endArgs(settle: Exclude<Settle, { kind: 'complete' }>): ScriptArg[] {
  const kind = KINDS[settle.kind];
  switch (settle.kind) {
    case 'fail':
    case 'dead': {
      const delay = settle.kind === 'fail' ? Math.max(0, Math.round(settle.retryInMs)) : 0;
      const { name, message, fingerprint } = settle.error;
      const title = escapeText(`${name}: ${message.slice(0, TITLE_MESSAGE)}`);
      const body = settle.kind === 'fail' ? { ...settle.error, resumesInMs: delay } : settle.error;
      return [kind, delay, fingerprint, title, JSON.stringify(body)];
    }
    case 'snooze': {
      const delay = Math.max(0, Math.round(settle.delayMs));
      return [kind, delay, NO_FINGERPRINT, '', JSON.stringify({ resumesInMs: delay })];
    }
    case 'cancelled':
      return [kind, 0, NO_FINGERPRINT, '', endingBody(settle)];
    case 'release':
      return [kind, 0, NO_FINGERPRINT, '', ''];
  }
}

const endingBody = ({ reason, progress, progressMessage }: Extract<Settle, { kind: 'cancelled' }>): string =>
  JSON.stringify({ reason, progress, progressMessage: progressMessage ?? undefined });

/** Places of the settles in the order in which the script sees them: completions first. */
function scriptOrder(settles: readonly Settle[]): number[] {
  const places = settles.map((_, place) => place);
  const isOther = (place: number) => Number(settles[place]?.kind !== 'complete');
  return settles.every(({ kind }) => kind === 'complete') ? places : places.sort((a, b) => isOther(a) - isOther(b));
}

/** Settles attempts that ended and claims the next tasks, in one call. See work.lua. */
export const work = defineScript<WorkCall, WorkAnswer>({
  name: 'work',
  lua: `${lua}${writesLua}`,
  lib: WORKING,
  args: (call) => {
    const settles: Settle[] = [];
    let completions = 0;
    for (const place of scriptOrder(call.settles)) {
      const settle = call.settles[place];
      if (settle === undefined) continue;
      settles.push(settle);
      if (settle.kind === 'complete') completions++;
    }
    const args: ScriptArg[] = [
      call.lane,
      call.nonce,
      call.want,
      call.leaseMs,
      call.workerId,
      `,${call.types.join(',')},`,
      completions,
      settles.length - completions,
      call.ahead ?? 0,
      call.standby === undefined ? '' : standbyText(call.standby),
    ];
    for (const { id } of settles) args.push(id);
    for (const { token } of settles) args.push(barred(token));
    for (const settle of settles) {
      if (settle.kind === 'complete') args.push(resultBody(settle.result, settle.progressMessage));
      else args.push(...endArgs(settle));
    }
    return args;
  },
  read: (reply, call) => {
    const [now, untilDue, skipped, base, verdictText, epochs, claimed, standsBy, handed] = list(reply);
    const verdicts: Verdict[] = [];
    for (const [position, place] of scriptOrder(call.settles).entries())
      verdicts[place] = VERDICTS[String(verdictText).charAt(position)] ?? 'gone';
    const flat = textList(claimed);
    const known = Array.isArray(epochs) ? epochs.map(String) : null;
    const tasks: ClaimedRecord[] = [];
    for (let i = 0; i + 1 < flat.length; i += 2) {
      const epoch = known ? known[i / 2] : String(Number(base) + i / 2 + 1);
      tasks.push({ id: flat[i] ?? '', token: `${epoch}:${call.nonce}`, record: flat[i + 1] ?? '' });
    }
    return {
      now: Number(now),
      nextDueInMs: Number(untilDue) < 0 ? null : Number(untilDue),
      skipped: Number(skipped) === 1,
      verdicts,
      claimed: tasks,
      standsBy: Number(standsBy) === 1,
      handed: handedRecords(textList(handed)),
    };
  },
});

function handedRecords(flat: readonly string[]): ClaimedRecord[] {
  const tasks: ClaimedRecord[] = [];
  for (let i = 0; i + 2 < flat.length; i += 3)
    tasks.push({ token: flat[i] ?? '', id: flat[i + 1] ?? '', record: flat[i + 2] ?? '' });
  return tasks;
}

/** An entry of the list `handed:<worker>`, as submit.lua writes it: `token|wall ms|id|record`. */
export function handedEntry(text: string): ClaimedRecord & { now: number } {
  const [first, second, third] = barsOf(text);
  return {
    token: text.slice(0, first),
    now: Number(text.slice(first + 1, second)),
    id: text.slice(second + 1, third),
    record: text.slice(third + 1),
  };
}

function barsOf(text: string): [number, number, number] {
  const first = text.indexOf('|');
  const second = text.indexOf('|', first + 1);
  return [first, second, text.indexOf('|', second + 1)];
}
