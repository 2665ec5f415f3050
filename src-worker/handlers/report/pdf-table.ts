/** The table of a PDF report: columns as wide as their content asks for, cells of a few lines, numbers to the right. */
import { fieldReader, type Row } from '../records/row';
import { type Column, displayValue, type Report } from './model';
import type { PdfText, TextStyle } from './pdf-text';

const PADDING = 4;
const MAX_LINES = 4;
const MIN_WIDTH = 24;
/** No column asks for more of the page than this. */
const MAX_WIDTH = 240;
/** Rows whose content decides how wide the columns are. */
const WIDTH_SAMPLE = 200;
/** With more columns than these, the text is smaller. */
const ROOMY_COLUMNS = 10;
const STRIPE = '#f5f7f9';
const RULE = '#8a95a3';

interface Cell {
  column: Column;
  read: (row: Row) => unknown;
  x: number;
  width: number;
}

export class PdfTable {
  readonly #doc: PDFKit.PDFDocument;
  readonly #text: PdfText;
  readonly #cells: Cell[];
  readonly #left: number;
  readonly #width: number;
  readonly #style: TextStyle;
  readonly #bold: TextStyle;
  readonly #lineHeight: number;
  /** Lines of the row that was measured last, so that drawing it does not break its lines again. */
  #measured: { row: Row; lines: string[][] } | null = null;

  constructor(
    doc: PDFKit.PDFDocument,
    text: PdfText,
    report: Report,
    { left, width }: { left: number; width: number },
  ) {
    this.#doc = doc;
    this.#text = text;
    this.#left = left;
    this.#width = width;
    const size = report.columns.length > ROOMY_COLUMNS ? 7 : 9;
    this.#style = { size };
    this.#bold = { size, weight: 'bold' };
    this.#lineHeight = size * 1.3;
    this.#cells = this.#layout(report);
  }

  get totalsHeight(): number {
    return this.#heightOf(1);
  }

  /** @returns the top of the first row; the others return where the next row begins */
  drawHeader(top: number): number {
    const lines = this.#cells.map(({ column, width }) =>
      this.#text.wrap(column.label, width - 2 * PADDING, 2, this.#bold),
    );
    const bottom = top + this.#drawCells(lines, top, this.#bold);
    this.#rule(bottom);
    return bottom + 1;
  }

  measure(row: Row): number {
    return this.#heightOf(Math.max(1, ...this.#linesOf(row).map((lines) => lines.length)));
  }

  drawRow(row: Row, top: number, index: number): number {
    const height = this.measure(row);
    if (index % 2 === 1) this.#doc.rect(this.#left, top, this.#width, height).fill(STRIPE);
    this.#drawCells(this.#linesOf(row), top, this.#style);
    return top + height;
  }

  drawTotals(totals: readonly (number | null)[], top: number): number {
    this.#rule(top);
    const lines = totals.map((total, i) => [total === null ? (i === 0 ? 'Total' : '') : displayValue(total, true)]);
    return top + this.#drawCells(lines, top, this.#bold);
  }

  #rule(y: number): void {
    this.#doc
      .moveTo(this.#left, y)
      .lineTo(this.#left + this.#width, y)
      .lineWidth(1)
      .strokeColor(RULE)
      .stroke();
  }

  #linesOf(row: Row): string[][] {
    if (this.#measured?.row !== row) {
      const lines = this.#cells.map(({ column, read, width }) =>
        this.#text.wrap(displayValue(read(row), column.numeric), width - 2 * PADDING, MAX_LINES, this.#style),
      );
      this.#measured = { row, lines };
    }
    return this.#measured.lines;
  }

  #heightOf(lines: number): number {
    return lines * this.#lineHeight + 2 * PADDING;
  }

  #drawCells(content: readonly string[][], top: number, style: TextStyle): number {
    let most = 1;
    for (const [i, { column, x, width }] of this.#cells.entries()) {
      const lines = content[i] ?? [];
      most = Math.max(most, lines.length);
      for (const [n, line] of lines.entries()) {
        const baseline = top + PADDING + n * this.#lineHeight + style.size;
        const at = column.numeric ? x + width - PADDING : x + PADDING;
        this.#text.line(line, at, baseline, { ...style, align: column.numeric ? 'right' : 'left' });
      }
    }
    return this.#heightOf(most);
  }

  #layout({ columns, rows, totals }: Report): Cell[] {
    const sample = rows.slice(0, WIDTH_SAMPLE);
    const wanted = columns.map((column, i) => {
      const read = fieldReader(column.field);
      const widths = sample.map((row) =>
        this.#text.width(displayValue(read(row), column.numeric).slice(0, 200), this.#style),
      );
      const total = displayValue(totals?.[i] ?? '', true);
      const widest = Math.max(
        this.#text.width(column.label, this.#bold),
        this.#text.width(total, this.#bold),
        ...widths,
      );
      return Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, widest + 2 * PADDING + 2));
    });
    const scale =
      this.#width /
      Math.max(
        1,
        wanted.reduce((sum, width) => sum + width, 0),
      );
    let x = this.#left;
    return columns.map((column, i) => {
      const width = (wanted[i] ?? MIN_WIDTH) * scale;
      const cell = { column, read: fieldReader(column.field), x, width };
      x += width;
      return cell;
    });
  }
}
