import { defineScript } from '../script';
import { list, QUEUE, textList } from './lib/pieces';
import lua from './outbox.lua?raw';

export interface OutboxEntry {
  /** As stored: hand it back when it has been told. */
  entry: string;
  parent: string;
  completed: boolean;
  /** `queue|child id` */
  dependants: string[];
}

/** What parents' ends mean to their dependants. See outbox.lua. */
export const outbox = defineScript<{ limit: number; told: readonly string[] }, OutboxEntry[]>({
  name: 'outbox',
  lua,
  lib: QUEUE,
  args: ({ limit, told }) => [limit, ...told],
  read: (reply) => {
    const flat = list(reply);
    const entries: OutboxEntry[] = [];
    for (let i = 0; i + 1 < flat.length; i += 2) {
      const entry = String(flat[i]);
      const [parent = '', verdict] = entry.split('|');
      entries.push({ entry, parent, completed: verdict === 'C', dependants: textList(flat[i + 1]) });
    }
    return entries;
  },
});
