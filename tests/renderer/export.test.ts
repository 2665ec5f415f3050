import { expect, it, vi } from 'vitest';
import { LIMITS } from '#queue/contract/limits';
import { ExportLoader, type ExportSource } from '../../src-renderer/loaders/export-loader';
import { ExportStore } from '../../src-renderer/stores/export-store.svelte';
import { exportHead, exportName, exportRows } from '../../src-renderer/stores/export-text';
import { TestTime } from './support';

interface Row {
  id: number;
  text: string | null;
  payload: unknown;
}
const columns = [
  { name: 'id', of: (row: Row) => row.id },
  { name: 'text', of: (row: Row) => row.text },
  { name: 'payload', of: (row: Row) => row.payload },
];
const row = (id: number, text: string | null = null): Row => ({ id, text, payload: { n: id } });

it('writes CSV that a spreadsheet reads and does not compute', () => {
  const texts = ['plain', 'a,b', 'say "hi"', 'two\nlines', '=1+1', '@x', '-5', null];
  expect(
    exportHead('csv', columns) +
      exportRows(
        'csv',
        columns,
        texts.map((text, n) => row(n, text)),
      ),
  ).toBe(
    [
      'id,text,payload',
      '0,plain,"{""n"":0}"',
      '1,"a,b","{""n"":1}"',
      '2,"say ""hi""","{""n"":2}"',
      '3,"two\nlines","{""n"":3}"',
      `4,'=1+1,"{""n"":4}"`,
      `5,'@x,"{""n"":5}"`,
      `6,'-5,"{""n"":6}"`,
      '7,,"{""n"":7}"',
      '',
    ].join('\r\n'),
  );
});

it('writes each row whole as a line of JSON', () => {
  expect(exportHead('jsonl', columns)).toBe('');
  const text = exportRows('jsonl', columns, [row(1, 'a\nb'), row(2)]);
  expect(
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  ).toEqual([row(1, 'a\nb'), row(2)]);
});

it('names the file by what and when', () => {
  expect(exportName('audit', 'csv', Date.parse('2026-11-25T14:48:02.500Z'))).toBe('audit-2026-11-25T14-48-02.csv');
});

function world(pages: readonly (readonly Row[])[], page?: ExportSource<Row>['page']) {
  const store = new ExportStore();
  const save = vi.fn();
  const loader = new ExportLoader(store, new TestTime(), save);
  const source: ExportSource<Row> = {
    what: 'rows',
    columns,
    page:
      page ??
      (async (cursor) => {
        const at = Number(cursor ?? 0);
        return { rows: pages[at] ?? [], next: at + 1 < pages.length ? String(at + 1) : null, total: 3 };
      }),
  };
  return { store, save, loader, source };
}

it('reads page after page and saves one file', async () => {
  const { store, save, loader, source } = world([[row(1), row(2)], [row(3)]]);
  const saved = await loader.run(source, 'jsonl');
  expect(saved).toMatchObject({ rows: 3, complete: true });
  expect(save).toHaveBeenCalledOnce();
  const [name, type, parts] = save.mock.calls[0] ?? [];
  expect([name, type]).toEqual([saved?.name, 'application/x-ndjson']);
  expect(parts.join('').split('\n')).toHaveLength(4);
  expect(store).toMatchObject({ running: false, read: 3, total: 3 });
});

it('saves nothing where it is stopped', async () => {
  const { store, save, loader, source } = world([], async (_, signal) => {
    loader.stop();
    expect(signal.aborted).toBe(true);
    return { rows: [row(1)], next: 'more', total: null };
  });
  expect(await loader.run(source, 'csv')).toBeNull();
  expect(save).not.toHaveBeenCalled();
  expect(store.running).toBe(false);
});

it('hands a failure on, saves nothing, and can begin again', async () => {
  let broken = true;
  const { store, save, loader, source } = world([], async () => {
    if (broken) throw new Error('gone');
    return { rows: [row(1)], next: null, total: 1 };
  });
  await expect(loader.run(source, 'csv')).rejects.toThrow('gone');
  expect(save).not.toHaveBeenCalled();
  expect(store.running).toBe(false);
  broken = false;
  expect(await loader.run(source, 'csv')).toMatchObject({ rows: 1 });
});

it('ends at the bound, and says that there is more', async () => {
  const many = Array.from({ length: LIMITS.exportRows - 1 }, (_, n) => row(n));
  const full = world([many, [row(1)]]);
  expect(await full.loader.run(full.source, 'jsonl')).toMatchObject({ rows: LIMITS.exportRows, complete: true });
  const past = world([many, [row(1), row(2)], [row(3)]]);
  expect(await past.loader.run(past.source, 'jsonl')).toMatchObject({ rows: LIMITS.exportRows, complete: false });
});
