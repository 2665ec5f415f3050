/**
 * How hard a text is to read. Flesch's formula with the constants that were fitted for each language (syllables are
 * counted by vowel groups, as good as needed for a mean), and two that need no syllables.
 *
 * Sources: Flesch 1948; Kincaid 1975; Amstad 1978 (de); Kandel & Moles 1958 (fr); Fernández Huerta 1959 (es);
 * Franchina & Vacca 1972 (it); Martins 1996 (pt); Douma 1960 (nl); Oborneva 2006 (ru); Björnsson 1968 (LIX); Senter & Smith 1967 (ARI).
 */
import type { SegmentedText } from './segments';

export interface Readability {
  /** About 0 (very hard) to 100 (very easy); null for languages without constants, and for texts without words. */
  flesch_reading_ease: number | null;
  /** In words, from `flesch_reading_ease`. */
  level: string | null;
  /** School years (US); English only. */
  flesch_kincaid_grade: number | null;
  /** School years (US), by letters; languages that write with letters and spaces. */
  automated_readability_index: number | null;
  /** About 20 (very easy) to 60 (very hard); the same languages. */
  lix: number | null;
  words_per_sentence: number;
  syllables_per_word: number | null;
}

interface FleschConstants {
  base: number;
  perSentenceWord: number;
  perSyllable: number;
}

const FLESCH: Readonly<Record<string, FleschConstants>> = {
  en: { base: 206.835, perSentenceWord: 1.015, perSyllable: 84.6 },
  de: { base: 180, perSentenceWord: 1, perSyllable: 58.5 },
  fr: { base: 207, perSentenceWord: 1.015, perSyllable: 73.6 },
  es: { base: 206.84, perSentenceWord: 1.02, perSyllable: 60 },
  it: { base: 217, perSentenceWord: 1.3, perSyllable: 60 },
  pt: { base: 248.835, perSentenceWord: 1.015, perSyllable: 84.6 },
  nl: { base: 206.84, perSentenceWord: 0.93, perSyllable: 77 },
  ru: { base: 206.835, perSentenceWord: 1.3, perSyllable: 60.1 },
};

/** A group of vowels is one syllable; the second member of a pair in `hiatus` begins another. */
const VOWELS: Readonly<Record<string, RegExp>> = {
  ru: /[аеёиоуыэюя]/g,
  es: /[aáeéoó]|[iíuúü]+(?![aáeéoó])/g,
};
const LATIN_VOWELS = /[aeiouyàáâãäåæèéêëìíîïòóôõöøœùúûüýÿ]+/g;

/** Words longer than this are long in LIX. */
const LIX_LETTERS = 6;
const LEVELS: readonly (readonly [number, string])[] = [
  [90, 'very easy'],
  [80, 'easy'],
  [70, 'fairly easy'],
  [60, 'plain'],
  [50, 'fairly difficult'],
  [30, 'difficult'],
  [Number.NEGATIVE_INFINITY, 'very difficult'],
];

export function readability({ sentences, wordCount }: SegmentedText, language: string | null): Readability {
  const wordsPerSentence = sentences.length === 0 ? 0 : wordCount / sentences.length;
  const constants = language !== null && Object.hasOwn(FLESCH, language) ? FLESCH[language] : undefined;
  let syllables = 0;
  let letters = 0;
  let long = 0;
  let alphabetic = 0;
  for (const { words } of sentences) {
    for (const word of words) {
      if (constants !== undefined) syllables += countSyllables(word, language);
      const length = word.replace(/[^\p{L}\p{N}]/gu, '').length;
      letters += length;
      if (length > LIX_LETTERS) long++;
      if (/^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}'’.,-]+$/u.test(word)) alphabetic++;
    }
  }
  const measurable = wordCount > 0 && alphabetic / wordCount > 0.8;
  const syllablesPerWord = constants === undefined || !measurable ? null : syllables / wordCount;
  const ease =
    constants === undefined || syllablesPerWord === null
      ? null
      : constants.base - constants.perSentenceWord * wordsPerSentence - constants.perSyllable * syllablesPerWord;
  const grade =
    language === 'en' && syllablesPerWord !== null ? 0.39 * wordsPerSentence + 11.8 * syllablesPerWord - 15.59 : null;
  return {
    flesch_reading_ease: round(ease),
    level: ease === null ? null : (LEVELS.find(([from]) => ease >= from)?.[1] ?? null),
    flesch_kincaid_grade: round(grade),
    automated_readability_index: measurable
      ? round(4.71 * (letters / wordCount) + 0.5 * wordsPerSentence - 21.43)
      : null,
    lix: measurable ? round(wordsPerSentence + (100 * long) / wordCount) : null,
    words_per_sentence: round(wordsPerSentence),
    syllables_per_word: round(syllablesPerWord),
  };
}

/** At least one, also for numbers and for words without a vowel. */
export function countSyllables(word: string, language: string | null): number {
  const lower = word.toLowerCase();
  const text = language === 'en' ? withoutSilentE(lower) : lower;
  return Math.max(1, text.match((language !== null && VOWELS[language]) || LATIN_VOWELS)?.length ?? 0);
}

/** The e of "make", "makes" and "asked" is not heard; that of "table", "boxes" and "wanted" is. */
function withoutSilentE(word: string): string {
  if (word.length <= 3) return word;
  if (/[^aeiouy]les?$/.test(word)) return word;
  if (/[td]ed$/.test(word)) return word;
  if (/(?:[sxz]|ch|sh|[cg])es$/.test(word)) return word;
  return word.replace(/(?:e|es|ed)$/, '');
}

function round(value: number): number;
function round(value: number | null): number | null;
function round(value: number | null): number | null {
  return value === null ? null : Math.round(value * 100) / 100;
}
