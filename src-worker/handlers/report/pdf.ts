/** A report as a PDF: title, facts and chart on the first page, then the table, its head on every page, and page numbers. */
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import PDFDocument from 'pdfkit';
import { layoutChart, type Shape } from './chart-layout';
import type { Chart, Report } from './model';
import { PdfTable } from './pdf-table';
import { PdfText } from './pdf-text';

type Document = PDFKit.PDFDocument;

const MARGIN = 40;
const FOOTER = 24;
const CHART_HEIGHT = 210;
const FACT_GAP = 26;
/** With more columns than these, the page lies on its side. */
const PORTRAIT_COLUMNS = 6;
const MUTED = '#5d6b7a';
const ROWS_PER_TURN = 100;

interface PdfOptions {
  createdAt: Date;
  signal: AbortSignal;
  onRows(done: number, of: number): Promise<void>;
}

interface RenderedPdf {
  stream: Readable;
  pages: number;
  /** Characters that the font does not have; they are shown as question marks. */
  missing: readonly string[];
}

export async function renderPdf(report: Report, { createdAt, signal, onRows }: PdfOptions): Promise<RenderedPdf> {
  const doc = new PDFDocument({
    size: 'A4',
    layout: report.columns.length > PORTRAIT_COLUMNS ? 'landscape' : 'portrait',
    margin: MARGIN,
    bufferPages: true, // for "page 1 of 9"
    displayTitle: true,
    info: { Title: report.title, Creator: 'Millrace', CreationDate: createdAt },
  });
  const text = new PdfText(doc);
  const width = doc.page.width - 2 * MARGIN;

  let y = drawHead(doc, text, report, width);
  if (report.chart !== null) y = drawChart(doc, text, report.chart, y, width);

  const bottom = () => doc.page.height - MARGIN - FOOTER;
  const table = new PdfTable(doc, text, report, { left: MARGIN, width });
  y = table.drawHeader(y);
  for (const [index, row] of report.rows.entries()) {
    if (index % ROWS_PER_TURN === 0) {
      await nextTurn();
      signal.throwIfAborted();
      await onRows(index, report.rows.length);
    }
    const height = table.measure(row);
    if (y + height > bottom()) {
      doc.addPage();
      y = table.drawHeader(MARGIN);
    }
    y = table.drawRow(row, y, index);
  }
  if (report.totals !== null) {
    if (y + table.totalsHeight > bottom()) {
      doc.addPage();
      y = table.drawHeader(MARGIN);
    }
    table.drawTotals(report.totals, y);
  }
  const pages = numberPages(doc, text, report.title);
  doc.end();
  return { stream: Readable.from(doc, { objectMode: false }), pages, missing: text.missing };
}

/** @returns where the next thing may begin, points from the top; so do the others */
function drawHead(doc: Document, text: PdfText, { title, subtitle, facts }: Report, width: number): number {
  let y = MARGIN + 18;
  for (const line of text.wrap(title, width, 3, { size: 20, weight: 'bold' })) {
    text.line(line, MARGIN, y, { size: 20, weight: 'bold' });
    y += 25;
  }
  text.line(subtitle, MARGIN, y - 4, { size: 10, colour: MUTED });
  let x = MARGIN;
  for (const { label, value } of facts) {
    text.line(label, x, y + 20, { size: 8, colour: MUTED });
    text.line(value, x, y + 36, { size: 14, weight: 'bold' });
    x += Math.max(text.width(label, { size: 8 }), text.width(value, { size: 14, weight: 'bold' })) + FACT_GAP;
  }
  doc
    .moveTo(MARGIN, y + 48)
    .lineTo(MARGIN + width, y + 48)
    .lineWidth(0.5)
    .strokeColor('#dfe4ea')
    .stroke();
  return y + 62;
}

function drawChart(doc: Document, text: PdfText, chart: Chart, y: number, width: number): number {
  text.line(chart.title, MARGIN, y + 8, { size: 11, weight: 'bold' });
  for (const shape of layoutChart(chart, width, CHART_HEIGHT)) drawShape(doc, text, shape, MARGIN, y + 14);
  return y + CHART_HEIGHT + 30;
}

function drawShape(doc: Document, text: PdfText, shape: Shape, left: number, top: number): void {
  switch (shape.kind) {
    case 'line':
      doc
        .moveTo(left + shape.x1, top + shape.y1)
        .lineTo(left + shape.x2, top + shape.y2)
        .lineWidth(shape.width)
        .strokeColor(shape.colour)
        .stroke();
      return;
    case 'box':
      doc.rect(left + shape.x, top + shape.y, shape.width, shape.height).fill(shape.colour);
      return;
    case 'path':
      for (const [i, [x, y]] of shape.points.entries()) {
        if (i === 0) doc.moveTo(left + x, top + y);
        else doc.lineTo(left + x, top + y);
      }
      doc.lineWidth(1.5).lineJoin('round').strokeColor(shape.colour).stroke();
      return;
    case 'dot':
      doc.circle(left + shape.x, top + shape.y, 2).fill(shape.colour);
      return;
    case 'word': {
      const align = { start: 'left', middle: 'center', end: 'right' } as const;
      text.line(shape.text, left + shape.x, top + shape.y, {
        size: shape.size,
        colour: shape.colour,
        align: align[shape.anchor],
      });
    }
  }
}

function numberPages(doc: Document, text: PdfText, title: string): number {
  const { count } = doc.bufferedPageRange();
  for (let page = 0; page < count; page++) {
    doc.switchToPage(page);
    const y = doc.page.height - MARGIN;
    const right = doc.page.width - MARGIN;
    const [name = ''] = text.wrap(title, right - MARGIN - 100, 1, { size: 8 });
    text.line(name, MARGIN, y, { size: 8, colour: MUTED });
    text.line(`Page ${page + 1} of ${count}`, right, y, { size: 8, colour: MUTED, align: 'right' });
  }
  return count;
}
