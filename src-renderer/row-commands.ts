/** The keys of a list that work wherever the focus is in its view; in the rows themselves DataGrid has the same ones. */
import type { Command } from './commands.svelte';

export interface Rows {
  step: (by: number) => void;
  openCurrent: () => void;
  checkCurrent: (range: boolean) => void;
  checkAll: () => void;
  unfold: (open: boolean) => void;
}

export interface RowKinds {
  /** Of one row: `task`. */
  readonly noun: string;
  /** A row can be opened. */
  readonly opens?: boolean;
  /** Rows have boxes. */
  readonly checks?: boolean;
  /** Rows stand below others. */
  readonly tree?: boolean;
}

/** @param rows undefined while there is no list */
export function rowCommands(rows: () => Rows | undefined, { noun, opens = true, checks, tree }: RowKinds): Command[] {
  const row = (id: string, title: string, keys: string, run: () => void): Command => ({
    id: `row-${id}`,
    title,
    group: 'List',
    keys,
    hidden: true,
    run,
  });
  return [
    row('next', `Next ${noun}`, 'j, arrowdown', () => rows()?.step(1)),
    row('previous', `Previous ${noun}`, 'k, arrowup', () => rows()?.step(-1)),
    ...(opens ? [row('open', `Open the ${noun}`, 'enter, o', () => rows()?.openCurrent())] : []),
    ...(checks
      ? [
          row('check', `Check the ${noun}`, 'x', () => rows()?.checkCurrent(false)),
          row('check-to', `Check up to the ${noun}`, 'shift+x', () => rows()?.checkCurrent(true)),
          row('check-all', `Check each ${noun} that is loaded`, 'mod+a', () => rows()?.checkAll()),
        ]
      : []),
    ...(tree
      ? [
          row('unfold', 'Open the group of rows', 'l, arrowright', () => rows()?.unfold(true)),
          row('fold', 'Close the group of rows', 'h, arrowleft', () => rows()?.unfold(false)),
        ]
      : []),
  ];
}
