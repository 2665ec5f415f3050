/** Divides free slots among queues by their weights. Pure. */

export interface Contender {
  readonly weight: number;
  /** Tasks started so far, divided by the weight: the queue that has had the least for its weight comes first. */
  readonly passed: number;
}

/**
 * Every contender is offered its share, rounded up, of what is free, the one that has had the least first, until
 * nothing is left; so with one free slot at a time, starts follow the weights.
 * @returns slots for each contender, in the order given
 */
export function shareOut(free: number, contenders: readonly Contender[]): number[] {
  const shares = contenders.map(() => 0);
  const order = contenders.map((_, index) => index).sort((a, b) => at(contenders, a).passed - at(contenders, b).passed);
  const total = contenders.reduce((sum, { weight }) => sum + weight, 0);
  let left = free;
  for (const index of order) {
    const share = Math.min(left, Math.ceil((free * at(contenders, index).weight) / total));
    shares[index] = share;
    left -= share;
  }
  return shares;
}

function at(contenders: readonly Contender[], index: number): Contender {
  const contender = contenders[index];
  if (contender === undefined) throw new RangeError(`no contender ${index}`);
  return contender;
}
