/**
 * Which element of a grid shows which row. A row keeps its element for as long as it is in sight; the element of a row
 * that leaves goes to one that comes. So a scroll moves and refills a few rows, and builds none.
 */
export class RowSlots {
  #slots: ReadonlyMap<string, number> = new Map();

  /** @param keys of the rows in sight, none twice @returns the slot of each; asked again for the same, it answers the same */
  place(keys: readonly string[]): ReadonlyMap<string, number> {
    const placed = new Map<string, number>();
    const taken = new Set<number>();
    for (const key of keys) {
      const slot = this.#slots.get(key);
      if (slot !== undefined) taken.add(slot);
    }
    let free = 0;
    for (const key of keys) {
      let slot = this.#slots.get(key);
      if (slot === undefined) {
        while (taken.has(free)) free++;
        slot = free++;
      }
      placed.set(key, slot);
    }
    this.#slots = placed;
    return placed;
  }
}
