/** Chance for what is spread in time (restarts, back-off); handed in, so that tests can choose it. */
import { randomInt } from 'node:crypto';

/** Evenly in [0, 1). */
export const random = (): number => randomInt(2 ** 30) / 2 ** 30;
