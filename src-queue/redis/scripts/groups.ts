import { defineScript } from '../script';
import lua from './groups.lua?raw';
import { list, QUEUE } from './lib/pieces';

export interface GroupsInput {
  /** Members whose time is looked at, the newest. */
  sample: number;
  stepMs: number;
  steps: number;
  /** Bytes of a member's history. */
  tailBytes: number;
  fingerprints: readonly string[];
}

export interface GroupCounts {
  sampled: number;
  /** Of the members sampled: how many came in, step by step, the oldest first. */
  counts: number[];
  /** Ends of the histories of the newest and of the oldest member looked at: none, one or two. */
  tails: string[];
}

export interface GroupsAnswer {
  /** Where the first step begins, Unix ms. */
  from: number;
  /** In the order asked for. */
  groups: GroupCounts[];
}

const WIDTH = 4;

/** When the members of failure groups came in. See groups.lua. */
export const groups = defineScript<GroupsInput, GroupsAnswer>({
  name: 'groups',
  lua,
  lib: QUEUE,
  args: ({ sample, stepMs, steps, tailBytes, fingerprints }) => [sample, stepMs, steps, tailBytes, ...fingerprints],
  read: (reply) => {
    const [from, ...flat] = list(reply);
    const found: GroupCounts[] = [];
    for (let i = 0; i + WIDTH <= flat.length; i += WIDTH) {
      const [sampled, counts, ...tails] = flat.slice(i, i + WIDTH);
      found.push({
        sampled: Number(sampled),
        counts: String(counts).split(',').map(Number),
        tails: tails.map(String).filter((tail) => tail !== ''),
      });
    }
    return { from: Number(from), groups: found };
  },
});
