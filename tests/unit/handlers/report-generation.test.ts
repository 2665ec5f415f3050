import { readFile } from 'node:fs/promises';
import { strFromU8, unzipSync } from 'fflate';
import { getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs';
import readWorkbook from 'read-excel-file/node';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { sumCounts } from '#queue/contract/queue';
import type { Clock } from '#queue/kernel/clock';
import { FatalError, type TaskAccess } from '#worker/handler';
import { chooseTicks } from '#worker/handlers/report/chart-layout';
import { ReportPayload } from '#worker/handlers/report/payload';
import { createReportGenerationHandler } from '#worker/handlers/report-generation';
import { createBuiltInConfig, createContext, createTempFolder, runHandler } from '../../support/handler-context';

vi.setConfig({ testTimeout: 30_000 }); // real libraries on a machine that may be busy

const Result = z.object({
  title: z.string(),
  format: z.string(),
  rows: z.number(),
  pages: z.number().optional(),
  artifact: z.object({ name: z.string(), path: z.string(), bytes: z.number(), media_type: z.string() }),
});

const NOON = Date.UTC(2026, 2, 1, 12, 30);
const clock: Clock = { now: () => NOON, monotonic: () => 0, sleep: () => Promise.resolve() };
const counts = (completed: number, failed: number, pending: number) => ({
  ...sumCounts([]),
  pending,
  completed,
  failed,
});
const refuse = () => Promise.reject(new Error('not for reports'));
const tasks: TaskAccess = {
  submit: refuse,
  states: refuse,
  cancel: refuse,
  statistics: async () => ({
    total: counts(1900, 100, 7),
    queues: { emails: counts(1800, 90, 0), default: counts(100, 10, 7) },
  }),
};

const SALES = [
  { region: 'North', units: 10, revenue: 1250.5 },
  { region: 'South', units: 4, revenue: -80 },
  { region: 'West <b>', units: 7, revenue: 900.25 },
];

let folder: Awaited<ReturnType<typeof createTempFolder>>;
beforeEach(async () => {
  folder = await createTempFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

async function run(payload: unknown) {
  const handler = createReportGenerationHandler(createBuiltInConfig(folder.path), clock);
  const { result, ...record } = await runHandler(handler, payload, { folder: folder.path, tasks });
  const parsed = Result.parse(result);
  return { ...parsed, ...record, file: await readFile(parsed.artifact.path) };
}

/** The text of each page, as a reader of the PDF would select it. */
async function pdfPages(file: Buffer): Promise<string[]> {
  const document = await getDocument({ data: new Uint8Array(file), verbosity: 0 }).promise;
  const pages: string[] = [];
  for (let n = 1; n <= document.numPages; n++) {
    const { items } = await (await document.getPage(n)).getTextContent();
    pages.push(items.map((item) => ('str' in item ? item.str : '')).join(' '));
  }
  await document.destroy();
  return pages;
}

describe('pdf', () => {
  it('reports the tasks by queue and status when nothing else is asked for', async () => {
    const { artifact, file, pages, title } = await run({});
    expect(artifact).toMatchObject({ name: 'report.pdf', media_type: 'application/pdf', bytes: file.length });
    expect(title).toBe('Task statistics');
    const [page = ''] = await pdfPages(file);
    expect(pages).toBe(1);
    for (const text of [
      'Task statistics',
      '2026-03-01 12:30 UTC',
      'emails',
      'default',
      '1,900',
      '95 %',
      'Tasks by status',
      'Total',
      'Page 1 of 1',
    ]) {
      expect(page).toContain(text);
    }
  });

  it('goes on over pages, with the head of the table and a number on each', async () => {
    const rows = Array.from({ length: 120 }, (_, i) => ({ name: `row ${i}`, value: i }));
    const { file, pages, progress } = await run({ title: 'Long', rows, totals: true, chart: 'line' });
    const texts = await pdfPages(file);
    expect(texts).toHaveLength(pages ?? 0);
    expect(texts.length).toBeGreaterThan(2);
    for (const [i, text] of texts.entries()) {
      expect(text).toContain(`Page ${i + 1} of ${pages}`);
      expect(text).toMatch(/name\s+value/);
    }
    const all = texts.join(' ');
    for (const row of rows) expect(all).toContain(row.name);
    expect(texts.at(-1)).toContain('7,140');
    expect(progress.some(({ message }) => message === 'row 100 of 120')).toBe(true);
  });

  it('sets Latin, Greek, Cyrillic and Vietnamese, and says which characters it lacks', async () => {
    const text = 'Zażółć Ελλάδα Отчёт Việt';
    const { file, logs } = await run({ title: text, rows: [{ name: '日本' }] });
    const all = (await pdfPages(file)).join(' ').replace(/\s+/g, '');
    expect(all.normalize('NFC')).toContain(text.replace(/\s+/g, ''));
    expect(logs).toMatchObject([{ level: 'warn', message: expect.stringContaining('日 本') }]);
  });

  it('breaks long cells into a few lines', async () => {
    const rows = [{ a: 'word '.repeat(400), b: 'x'.repeat(3000) }];
    const { pages, file } = await run({ rows });
    expect(pages).toBe(1);
    expect((await pdfPages(file))[0]).toContain('…');
  });

  it('stops between rows when it is cancelled', async () => {
    const rows = Array.from({ length: 5000 }, (_, i) => ({ i }));
    const { context, abort } = createContext(ReportPayload.parse({ rows }), { folder: folder.path, tasks });
    const running = createReportGenerationHandler(createBuiltInConfig(folder.path), clock).run({
      ...context,
      progress: async (_percent, message) => {
        if (message === 'row 200 of 5000') abort(new Error('cancelled by a person'));
      },
    });
    await expect(running).rejects.toThrow('cancelled by a person');
  });
});

describe('html', () => {
  it('is one page with an inline chart, and shows hostile text as text', async () => {
    const { file, artifact } = await run({
      format: 'html',
      title: '<script>alert(1)</script>',
      rows: SALES,
      totals: true,
    });
    const html = file.toString();
    expect(artifact.name).toBe('report.html');
    expect(html).not.toMatch(/<script|<b>|https?:\/\/(?!www\.w3\.org)/);
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(html).toContain('West &lt;b&gt;');
    expect(html).toContain('<td class="n">2,070.75</td>');
    expect(html).toMatch(/<svg[^>]*role="img"/);
  });

  it('draws bars whose heights are in proportion, from the axis down for what is negative', async () => {
    const { file } = await run({ format: 'html', rows: SALES, chart: { kind: 'bar', x: 'region', y: 'revenue' } });
    const bars = [...file.toString().matchAll(/<rect x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"/g)].map(
      ([, y, height]) => ({ y: Number(y), height: Number(height) }),
    );
    expect(bars).toHaveLength(3);
    expect((bars[0]?.height ?? 0) / (bars[2]?.height ?? 1)).toBeCloseTo(1250.5 / 900.25, 1);
    expect(bars[1]?.y).toBeCloseTo((bars[0]?.y ?? 0) + (bars[0]?.height ?? 0), 0);
  });

  it('draws an SVG that renders', async () => {
    const { file } = await run({
      format: 'html',
      rows: SALES,
      chart: { kind: 'line', y: ['units', 'revenue'], title: 'a < b' },
    });
    const svg = /<svg.*<\/svg>/s.exec(file.toString())?.[0] ?? '';
    const { data } = await sharp(Buffer.from(svg))
      .flatten({ background: '#fff' })
      .raw()
      .toBuffer({ resolveWithObject: true });
    const colours = new Set<string>();
    for (let i = 0; i < data.length; i += 3) colours.add(data.subarray(i, i + 3).toString('hex'));
    expect(colours).toContain('2f6fdb');
    expect(colours).toContain('e08a00');
  });

  it('shows the columns that are asked for, under their labels, and no chart when told so', async () => {
    const { file } = await run({
      format: 'html',
      rows: SALES,
      columns: ['units', { field: 'region', label: 'Where' }],
      chart: false,
    });
    expect(file.toString()).toContain('<th class="n">units</th><th>Where</th>');
    expect(file.toString()).not.toContain('<svg');
  });
});

describe('xlsx', () => {
  it('reads back with title, numbers as numbers, totals, and the data of the chart', async () => {
    const { file, artifact } = await run({ format: 'xlsx', title: 'Sales', rows: SALES, totals: true, name: 'sales' });
    expect(artifact.name).toBe('sales.xlsx');
    const [table, chart] = await readWorkbook(file);
    expect(table?.sheet).toBe('Report');
    expect(table?.data[0]?.[0]).toBe('Sales');
    expect(table?.data.slice(4)).toEqual([
      ['region', 'units', 'revenue'],
      ['North', 10, 1250.5],
      ['South', 4, -80],
      ['West <b>', 7, 900.25],
      ['Total', 21, 2070.75],
    ]);
    expect(chart?.data.slice(1)).toEqual([
      ['North', 10, 1250.5],
      ['South', 4, -80],
      ['West <b>', 7, 900.25],
    ]);
  });

  it.each(['bar', 'line'] as const)('has a native %s chart that refers to its data', async (kind) => {
    const { file } = await run({ format: 'xlsx', rows: SALES, chart: { kind, x: 'region', y: ['units', 'revenue'] } });
    const parts = unzipSync(new Uint8Array(file));
    const xml = (path: string) => strFromU8(parts[path] ?? new Uint8Array());
    const chart = xml('xl/charts/millrace-chart-1.xml');
    expect(chart).toContain(`<c:${kind}Chart>`);
    expect(chart).toContain('<c:f>&#39;Chart data&#39;!$C$2:$C$4</c:f>');
    expect(chart).toContain('<c:v>1250.5</c:v>');
    expect(chart).toContain('West &lt;b&gt;');
    expect(xml('[Content_Types].xml')).toContain('PartName="/xl/charts/millrace-chart-1.xml"');
    expect(xml('xl/drawings/_rels/drawing1.xml.rels')).toContain('../charts/millrace-chart-1.xml');
    expect(xml('xl/drawings/drawing1.xml')).toContain('<xdr:graphicFrame');
    expect(xml('xl/drawings/drawing2.xml')).not.toContain('<xdr:graphicFrame');
  });

  it('never writes a formula from a row', async () => {
    const { file } = await run({ format: 'xlsx', rows: [{ text: '=HYPERLINK("http://evil.test")' }] });
    expect(strFromU8(unzipSync(new Uint8Array(file))['xl/worksheets/sheet1.xml'] ?? new Uint8Array())).not.toContain(
      '<f>',
    );
  });
});

describe('bounds and faults', () => {
  it('refuses a chart of a field that is not there, or has no numbers to draw', async () => {
    await expect(run({ rows: SALES, chart: { y: 'nothing' } })).rejects.toBeInstanceOf(FatalError);
    await expect(run({ rows: [{ a: 'x' }], chart: 'bar' })).rejects.toThrow(/needs a column with numbers/);
    await expect(run({ source: 'rows' })).rejects.toBeInstanceOf(FatalError);
  });

  it('makes a report of no rows', async () => {
    for (const format of ['pdf', 'html', 'xlsx']) expect((await run({ rows: [], format })).rows).toBe(0);
  });

  it('draws the first 500 points of a longer chart and says so', async () => {
    const rows = Array.from({ length: 600 }, (_, i) => ({ i }));
    expect((await run({ rows, format: 'html', chart: 'line' })).file.toString()).toContain('(the first 500 rows)');
  });

  it('describes its payload for the form in the console', () => {
    expect(z.toJSONSchema(ReportPayload, { io: 'input' })).toMatchObject({
      additionalProperties: false,
      properties: { rows: { description: expect.any(String) } },
    });
    expect(ReportPayload.safeParse({ unknown: 1 }).success).toBe(false);
    expect(ReportPayload.safeParse({ name: '../x.pdf' }).success).toBe(false);
  });
});

it.each([
  [0, 10],
  [0, 0],
  [-3, 7],
  [0, 0.003],
  [-1e9, 0],
  [0, 123_456],
])('chooses ticks that cover %d to %d', (low, high) => {
  const ticks = chooseTicks(low, high);
  expect(ticks[0]).toBeLessThanOrEqual(low);
  expect(ticks.at(-1)).toBeGreaterThanOrEqual(high);
  expect(ticks.length).toBeGreaterThanOrEqual(2);
  expect(ticks.length).toBeLessThanOrEqual(9);
});
