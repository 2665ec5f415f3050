/**
 * What a text is about: its words and phrases, scored. A word counts by how often it stands there, more when it comes
 * early (the subject is named first); a phrase of two or three words counts when it is repeated, as real terms are.
 */

import type { Sentence } from './segments';
import { stopWordsOf } from './stop-words';

export interface Keyword {
  term: string;
  /** 0 to 1; the first has 1. */
  score: number;
  /** How often it stands in the text. */
  count: number;
}

const MAX_PHRASE_WORDS = 3;
/** What an early word gains over a late one. */
const EARLINESS = 0.5;
/** Scripts that write a word in one or two signs. */
const DENSE_SCRIPT = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u;

interface Candidate {
  words: string[];
  count: number;
  /** Index of the first sentence that has it. */
  first: number;
}

export function findKeywords(sentences: readonly Sentence[], language: string | null, limit: number): Keyword[] {
  const candidates = collect(sentences, stopWordsOf(language));
  const singles = new Map([...candidates].filter(([, { words }]) => words.length === 1));
  const weight = (word: string): number => {
    const single = singles.get(word);
    return single === undefined ? 0 : single.count * (1 + EARLINESS * (1 - single.first / sentences.length));
  };
  const scored = [...candidates.values()]
    .filter(({ words, count }) => words.length === 1 || count > 1)
    .map((candidate) => {
      const term = candidate.words.join(' ');
      const mean = candidate.words.reduce((sum, word) => sum + weight(word), 0) / candidate.words.length;
      const mostFrequent = Math.max(...candidate.words.map((word) => singles.get(word)?.count ?? candidate.count));
      // A phrase is worth its words together, as far as they stand together.
      return { ...candidate, term, score: mean * (candidate.count / mostFrequent) * candidate.words.length };
    })
    .sort((a, b) => b.score - a.score || a.first - b.first || (a.term < b.term ? -1 : 1));
  const chosen: typeof scored = [];
  for (const candidate of scored) {
    if (chosen.length === limit) break;
    if (!chosen.some((better) => overlaps(better, candidate))) chosen.push(candidate);
  }
  const best = chosen[0]?.score ?? 1;
  return chosen.map(({ term, score, count }) => ({ term, score: Math.round((score / best) * 1000) / 1000, count }));
}

/** Every word, and every phrase, that has no stop word in it. */
function collect(sentences: readonly Sentence[], stopWords: ReadonlySet<string>): Map<string, Candidate> {
  const candidates = new Map<string, Candidate>();
  for (const [index, sentence] of sentences.entries()) {
    let run: string[] = [];
    for (const written of [...sentence.words, '']) {
      const word = foldWord(written);
      if (!isTelling(word, stopWords)) {
        run = [];
        continue;
      }
      run = [...run, word].slice(-MAX_PHRASE_WORDS);
      for (let length = 1; length <= run.length; length++) addTo(candidates, run.slice(-length), index);
    }
  }
  return candidates;
}

function addTo(candidates: Map<string, Candidate>, words: string[], first: number): void {
  const key = words.join(' ');
  const known = candidates.get(key);
  if (known !== undefined) known.count++;
  else candidates.set(key, { words, count: 1, first });
}

/** One spelling for a word, whatever its case and its apostrophe. */
export const foldWord = (word: string): string => word.toLowerCase().replaceAll('’', "'");

function isTelling(word: string, stopWords: ReadonlySet<string>): boolean {
  if (word === '' || stopWords.has(word) || !/\p{L}/u.test(word)) return false;
  return word.length > 2 || DENSE_SCRIPT.test(word);
}

/** A word inside a better phrase, or a phrase around a better word, says nothing new unless it stands alone much more often. */
function overlaps(better: Candidate, candidate: Candidate): boolean {
  const [long, short] = better.words.length >= candidate.words.length ? [better, candidate] : [candidate, better];
  if (!` ${long.words.join(' ')} `.includes(` ${short.words.join(' ')} `)) return false;
  return short === better || short.count < long.count * 2;
}
