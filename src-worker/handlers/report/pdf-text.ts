/**
 * Text in a PDF whose font comes in parts: each run of characters is set in the part that has them, lines are broken
 * and measured over all runs. Characters that no part has are shown as a question mark, and counted.
 */
import { type FontPart, fontParts } from './pdf-font-data';

type Document = PDFKit.PDFDocument;
type Weight = 'regular' | 'bold';
export interface TextStyle {
  size: number;
  weight?: Weight;
  colour?: string;
  align?: 'left' | 'right' | 'center';
}

interface Run {
  text: string;
  font: string;
}

const MISSING = '?';
const ELLIPSIS = '…';

export class PdfText {
  readonly #doc: Document;
  readonly #parts: FontPart[];
  readonly #loaded = new Set<string>();
  readonly #missing = new Set<string>();
  /** Width of a character at size 1, by font and character: measuring a table is mostly looking up. */
  readonly #advances = new Map<string, number>();

  constructor(doc: Document) {
    this.#doc = doc;
    this.#parts = fontParts();
  }

  /** Characters that the font does not have, so far. */
  get missing(): readonly string[] {
    return [...this.#missing];
  }

  /** In points; kerning is left out of account. */
  width(text: string, { size, weight = 'regular' }: TextStyle): number {
    let width = 0;
    for (const run of this.#runs(text, weight)) for (const char of run.text) width += this.#advance(char, run.font);
    return width * size;
  }

  /** One line with its baseline at `y`; `x` is its left end, middle or right end by `align`. */
  line(text: string, x: number, y: number, style: TextStyle): void {
    const { size, weight = 'regular', colour = '#1d2430', align = 'left' } = style;
    const width = align === 'left' ? 0 : this.width(text, style);
    let at = align === 'left' ? x : x - (align === 'right' ? width : width / 2);
    for (const run of this.#runs(text, weight)) {
      this.#doc
        .font(run.font)
        .fontSize(size)
        .fillColor(colour)
        .text(run.text, at, y, { lineBreak: false, baseline: 'alphabetic' });
      at += this.#doc.widthOfString(run.text);
    }
  }

  /** Breaks text into lines of `width`, at spaces where it can; what is over `maxLines` ends in an ellipsis. */
  wrap(text: string, width: number, maxLines: number, style: TextStyle): string[] {
    const lines: string[] = [];
    let line = '';
    for (const word of text
      .replace(/\s+/g, ' ')
      .trim()
      .split(/(?<= )/)) {
      if (this.width((line + word).trimEnd(), style) <= width) {
        line += word;
        continue;
      }
      if (line !== '') lines.push(line.trimEnd());
      line = word;
      while (lines.length <= maxLines && this.width(line.trimEnd(), style) > width) {
        const fit = this.#fitting(line, width, style);
        lines.push(line.slice(0, fit));
        line = line.slice(fit);
      }
      if (lines.length > maxLines) break;
    }
    if (line !== '') lines.push(line.trimEnd());
    if (lines.length <= maxLines) return lines;
    const last = lines[maxLines - 1] ?? '';
    return [...lines.slice(0, maxLines - 1), this.#cut(last, width, style)];
  }

  #advance(char: string, font: string): number {
    const key = `${font}:${char}`;
    let advance = this.#advances.get(key);
    if (advance === undefined) {
      advance = this.#doc.font(font).fontSize(1).widthOfString(char);
      this.#advances.set(key, advance);
    }
    return advance;
  }

  #cut(line: string, width: number, style: TextStyle): string {
    let text = line;
    while (text !== '' && this.width(text + ELLIPSIS, style) > width) text = [...text].slice(0, -1).join('');
    return text + ELLIPSIS;
  }

  /** UTF-16 units of `text` that fit; at least one character, or nothing would ever be drawn. */
  #fitting(text: string, width: number, style: TextStyle): number {
    let units = 0;
    let used = 0;
    for (const char of text) {
      used += this.width(char, style);
      if (units > 0 && used > width) break;
      units += char.length;
    }
    return units;
  }

  #runs(text: string, weight: Weight): Run[] {
    const runs: Run[] = [];
    for (const char of text.normalize('NFC')) {
      const part = this.#partFor(char);
      const shown = part === undefined ? MISSING : char;
      const font = this.#fontName(part ?? this.#parts[0], weight);
      const last = runs.at(-1);
      if (last?.font === font) last.text += shown;
      else runs.push({ text: shown, font });
    }
    return runs;
  }

  #partFor(char: string): FontPart | undefined {
    const code = char.codePointAt(0) ?? 0;
    const part = this.#parts.find(({ ranges }) => ranges.some(([first, last]) => code >= first && code <= last));
    if (part === undefined) this.#missing.add(char);
    return part;
  }

  #fontName(part: FontPart | undefined, weight: Weight): string {
    if (part === undefined) throw new Error('the font has no parts');
    const name = `${part.script}-${weight}`;
    if (!this.#loaded.has(name)) {
      const url = part[weight];
      this.#doc.registerFont(name, Buffer.from(url.slice(url.indexOf(',') + 1), 'base64'));
      this.#loaded.add(name);
    }
    return name;
  }
}
