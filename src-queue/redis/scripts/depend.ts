import { defineScript } from '../script';
import lua from './depend.lua?raw';
import { QUEUE } from './lib/pieces';

/** W waits · C completed · X failed or cancelled · G gone */
export type ParentVerdict = 'W' | 'C' | 'X' | 'G';
const isVerdict = (letter: string): letter is ParentVerdict => 'WCXG'.includes(letter);

/** Children ask their parents, all of one queue, to be told of their end. See depend.lua. */
export const depend = defineScript<readonly { parent: string; child: string }[], ParentVerdict[]>({
  name: 'depend',
  lua,
  lib: QUEUE,
  args: (pairs) => pairs.flatMap(({ parent, child }) => [parent, child]),
  read: (reply) => [...String(reply)].filter(isVerdict),
});
