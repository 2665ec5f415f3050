import { defineScript } from '../script';
import { list, READING, textList } from './lib/pieces';
import lua from './page.lua?raw';
import { type RawTask, rawTasks } from './read';

export type PageKind = 'lex' | 'names' | 'up' | 'down' | 'pending';

export interface PageInput {
  kind: PageKind;
  /** Below the queue's prefix; `lex` merges several, joined by commas. */
  set: string;
  from: string;
  to: string;
  limit: number;
  /** -1 for members and scores only. */
  previewBytes: number;
  /** Members of an equal score that were seen already. */
  skip?: number;
}

export interface PageAnswer {
  members: { member: string; score: number }[];
  tasks: RawTask[];
}

/** One page of a set or an index. See page.lua. */
export const page = defineScript<PageInput, PageAnswer>({
  name: 'page',
  lua,
  lib: READING,
  args: ({ kind, set, from, to, limit, previewBytes, skip = 0 }) => [kind, set, from, to, limit, previewBytes, skip],
  read: (reply) => {
    const [found, tasks] = list(reply);
    const flat = textList(found);
    const members: PageAnswer['members'] = [];
    for (let i = 0; i + 1 < flat.length; i += 2) members.push({ member: flat[i] ?? '', score: Number(flat[i + 1]) });
    return { members, tasks: rawTasks(tasks) };
  },
});
