/** Charts as rows: to be read in a table, and to be taken away as CSV. Pure. */
import { csvLine } from './export-text';

export interface TableColumn {
  readonly label: string;
  readonly values: readonly (number | null)[];
}

/** Times as ISO 8601 in UTC; a cell is empty where nobody looked. @param times Unix seconds */
export const toCsv = (times: readonly number[], columns: readonly TableColumn[]): string =>
  [
    csvLine(['time', ...columns.map(({ label }) => label)]),
    ...times.map((at, index) =>
      csvLine([new Date(at * 1000).toISOString(), ...columns.map(({ values }) => values[index])]),
    ),
  ].join('');
