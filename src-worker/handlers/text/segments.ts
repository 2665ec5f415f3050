/**
 * A text in paragraphs, sentences and words, by the Unicode rules of its language (which also part Chinese, Japanese
 * and Thai, that write no spaces). Mended where those rules are known to be wrong for plain text: a line that is
 * wrapped does not end a sentence, nor does an abbreviation.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

export interface Sentence {
  /** On one line, no spaces around it. */
  text: string;
  /** Index of its paragraph. */
  paragraph: number;
  /** As written, in order. */
  words: string[];
}

export interface SegmentedText {
  paragraphs: number;
  sentences: Sentence[];
  /** Of all sentences. */
  wordCount: number;
}

/** A line that begins a list item stands on its own; other single line breaks are only wrapping. */
const WRAPPING = /[^\S\n]*\n[^\S\n]*(?!(?:[-*•–]|\d{1,3}[.)])\s)/g;
const PARAGRAPH_END = /\n[^\S\n]*\n\s*/;

/** Before a name or a number; they never end a sentence. Lower case, without their dot. */
const ABBREVIATIONS = new Set(
  `mr mrs ms dr prof sr jr st mt rev hon gen col capt lt sgt no vol fig figs eq sec ch pp ed eds cf vs approx e.g i.e
   hr fr frau nr bzw ca vgl abb bd z.b d.h u.a s mme mlle m art núm ud uds sra srta dott sig sig.ra ing avv`.split(
    /\s+/,
  ),
);
const LAST_WORD = /(?:^|[\s("'[„“])([\p{L}.]+)\.["')\]]*\s*$/u;
/** "J." in "J. S. Bach". */
const INITIAL = /(?:^|[\s.])\p{Lu}\.\s*$/u;

/**
 * Looked at in one go. Each step of `Intl.Segmenter` costs as much as its whole text is long, so long texts are
 * given to it in windows (250 KB in one piece took 30 s). A sentence that is longer is cut at a space.
 */
const WINDOW_CHARS = 2000;
/** Sentences that are parted between two looks at the signal and at the event loop. */
const CHUNK = 500;

/**
 * @param language ISO 639-1, or null where it is not known
 * @throws the signal's reason when it fires
 */
export async function segmentText(text: string, language: string | null, signal: AbortSignal): Promise<SegmentedText> {
  const paragraphs = text
    .replace(/\r\n?|\u2028|\u2029|\u0085/g, '\n')
    .split(PARAGRAPH_END)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== '');
  const sentenceRules = new Intl.Segmenter(language ?? 'und', { granularity: 'sentence' });
  const wordRules = new Intl.Segmenter(language ?? 'und', { granularity: 'word' });
  const sentences: Sentence[] = [];
  let wordCount = 0;
  for (const [index, paragraph] of paragraphs.entries()) {
    for (const sentence of sentencesOf(paragraph.replace(WRAPPING, ' '), sentenceRules)) {
      const words = wordsOf(sentence, wordRules);
      sentences.push({ text: sentence, paragraph: index, words });
      wordCount += words.length;
      if (sentences.length % CHUNK === 0) await nextTurn(undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
  signal.throwIfAborted();
  return { paragraphs: paragraphs.length, sentences, wordCount };
}

function* sentencesOf(paragraph: string, rules: Intl.Segmenter): Generator<string> {
  let current = '';
  for (const segment of segmentsOf(paragraph, rules)) {
    current += segment;
    if (endsInAbbreviation(segment) && current.length < WINDOW_CHARS) continue;
    if (current.trim() !== '') yield current.trim();
    current = '';
  }
  if (current.trim() !== '') yield current.trim();
}

/** The last segment of a window may be cut off by its end, so the next window begins with it. */
function* segmentsOf(paragraph: string, rules: Intl.Segmenter): Generator<string> {
  for (let start = 0; start < paragraph.length; ) {
    const window = paragraph.slice(start, start + WINDOW_CHARS);
    const segments = Array.from(rules.segment(window), ({ segment }) => segment);
    const isEnd = start + window.length === paragraph.length;
    const complete = isEnd ? segments : segments.length > 1 ? segments.slice(0, -1) : [cutAtSpace(window)];
    for (const segment of complete) {
      start += segment.length;
      yield segment;
    }
  }
}

/** At least one character, and no half of a pair. */
function cutAtSpace(text: string): string {
  const space = text.lastIndexOf(' ') + 1;
  if (space > 0) return text.slice(0, space);
  return /[\ud800-\udbff]$/.test(text) ? text.slice(0, -1) : text;
}

function endsInAbbreviation(segment: string): boolean {
  const tail = segment.slice(-40);
  const word = LAST_WORD.exec(tail)?.[1]?.toLowerCase();
  return word !== undefined && (ABBREVIATIONS.has(word) || INITIAL.test(tail));
}

const wordsOf = (sentence: string, rules: Intl.Segmenter): string[] => {
  const words: string[] = [];
  for (const { segment, isWordLike } of rules.segment(sentence)) if (isWordLike) words.push(segment);
  return words;
};
