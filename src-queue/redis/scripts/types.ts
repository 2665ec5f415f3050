import { LIMITS } from '../../contract/limits';
import { defineScript } from '../script';
import { list, QUEUE } from './lib/pieces';
import lua from './types.lua?raw';

export interface PendingTypes {
  /** Pending tasks of the queue. */
  total: number;
  /** Of those, the ones whose type was looked at. */
  sampled: number;
  byType: ReadonlyMap<string, number>;
}

/** Tasks that lie side by side are often alike, so the sample is made of many short pieces. */
const PIECE = 20;

/** Which task types wait. See types.lua. */
export const types = defineScript<null, PendingTypes>({
  name: 'types',
  lua,
  lib: QUEUE,
  args: () => [LIMITS.typeSample, PIECE],
  read: (reply) => {
    const [total, sampled, ...flat] = list(reply);
    const byType = new Map<string, number>();
    for (let i = 0; i + 1 < flat.length; i += 2) byType.set(String(flat[i]), Number(flat[i + 1]));
    return { total: Number(total), sampled: Number(sampled), byType };
  },
});
