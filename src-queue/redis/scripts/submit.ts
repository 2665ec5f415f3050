import { Durability } from '../../contract/primitives';
import { escapeText } from '../../kernel/escape';
import { defineScript, type ScriptArg } from '../script';
import { encodeSpec, type RecordFields } from '../task-record';
import { SUBMITTING, textList } from './lib/pieces';
import lua from './submit.lua?raw';

export interface SubmitEntry extends RecordFields {
  id: string;
  bodyHash: string | null;
}

/** `same`: this very id is there already, or the first task of an idempotency key. */
export type SubmitVerdict =
  | { kind: 'accepted' }
  | { kind: 'same' | 'conflict' | 'duplicate'; id: string }
  | { kind: 'full' };

export interface SubmitAnswer {
  verdicts: SubmitVerdict[];
  /** The queue was empty of everything: it is new, or the store was flushed. */
  fresh: boolean;
  /** The queue's, for submits that do not name theirs. */
  durability: Durability;
  /** Of the queue, as it is set. */
  shards: number;
}

const SEPARATOR = '\u001f';

/** ASCII only, as Lua's string.lower: both sides must make the same entry of the name index. */
export const nameKey = (name: string): string => escapeText(name).replace(/[A-Z]/g, (letter) => letter.toLowerCase());

function extrasOf(entry: SubmitEntry): string | null {
  if (isPlain(entry)) return null;
  const extras = [
    entry.runAt === null ? '' : String(entry.runAt),
    escapeText(entry.idempotencyKey ?? ''),
    entry.bodyHash ?? '',
    escapeText(entry.uniqueKey ?? ''),
    entry.tags.map(escapeText).join(';'),
    escapeText(entry.owner ?? ''),
    nameKey(entry.name ?? ''),
    entry.expiresAt === null ? '' : String(entry.expiresAt),
    entry.dependsOn.join(';'),
  ];
  return extras.every((extra) => extra === '') ? null : extras.join(SEPARATOR);
}

/** As most tasks are: nothing to write but the task. */
const isPlain = ({ runAt, expiresAt, idempotencyKey, uniqueKey, owner, name, tags, dependsOn }: SubmitEntry): boolean =>
  runAt === null &&
  expiresAt === null &&
  idempotencyKey === null &&
  uniqueKey === null &&
  owner === null &&
  name === null &&
  tags.length === 0 &&
  dependsOn.length === 0;

/** Takes tasks of one queue in. See submit.lua. */
export const submit = defineScript<readonly SubmitEntry[], SubmitAnswer>({
  name: 'submit',
  lua,
  lib: SUBMITTING,
  args: (entries) => {
    const extras: ScriptArg[] = [];
    const tasks: ScriptArg[] = [];
    entries.forEach((entry, index) => {
      tasks.push(entry.id, encodeSpec(entry));
      const extra = extrasOf(entry);
      if (extra !== null) extras.push(index + 1, extra);
    });
    return [entries.length, extras.length / 2, ...tasks, ...extras];
  },
  read: (reply, entries) => {
    const verdicts: SubmitVerdict[] = entries.map(() => ({ kind: 'accepted' }));
    let fresh = false;
    let durability: Durability = 'memory';
    let shards = 1;
    for (const line of textList(reply)) {
      const [index = '', kind, id = ''] = line.split(' ');
      const position = Number(index) - 1;
      if (kind === 'NEW') fresh = true;
      else if (kind === 'DURABILITY') durability = Durability.parse(id);
      else if (kind === 'SHARDS') shards = Number(id);
      else if (kind === 'FULL') verdicts[position] = { kind: 'full' };
      else if (kind === 'CONFLICT') verdicts[position] = { kind: 'conflict', id };
      else if (kind === 'DUPLICATE') verdicts[position] = { kind: 'duplicate', id };
      else verdicts[position] = { kind: 'same', id };
    }
    return { verdicts, fresh, durability, shards };
  },
});
