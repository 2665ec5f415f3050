/** Charts as rows: to be read in a table, and to be taken away as CSV. Pure. */
export interface TableColumn {
  readonly label: string;
  readonly values: readonly (number | null)[];
}

const quoted = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
/** A cell that begins like this is a formula to a spreadsheet. */
const guarded = (text: string): string => (/^[=+\-@\t]/.test(text) ? `'${text}` : text);

/** RFC 4180, times as ISO 8601 in UTC; a cell is empty where nobody looked. @param times Unix seconds */
export function toCsv(times: readonly number[], columns: readonly TableColumn[]): string {
  const head = ['time', ...columns.map(({ label }) => quoted(guarded(label)))].join(',');
  const rows = times.map((at, index) =>
    [new Date(at * 1000).toISOString(), ...columns.map(({ values }) => String(values[index] ?? ''))].join(','),
  );
  return `${[head, ...rows].join('\r\n')}\r\n`;
}
