/**
 * Which sentences carry a text: LexRank (Erkan & Radev 2004). Sentences vote for those that they share telling words
 * with, and votes of strong sentences count more. Long texts are ranked in blocks whose best meet in a last round,
 * so that time grows with the length of the text, not with its square.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { foldWord } from '../text/keywords';
import type { Sentence } from '../text/segments';
import { stopWordsOf } from '../text/stop-words';

/** Words and their weight; of length 1. */
export type SentenceVector = ReadonlyMap<string, number>;

const BLOCK = 300;
const DAMPING = 0.85;
const ROUNDS = 30;
/** Sentences that share less are no neighbours. */
const MIN_SIMILARITY = 0.05;
/** A shorter one is seldom a statement. */
const FEW_WORDS = 4;

export interface RankedText {
  /** Higher is more central; comparable within the text. */
  scores: number[];
  vectors: SentenceVector[];
}

/** @throws the signal's reason when it fires */
export async function rankSentences(
  sentences: readonly Sentence[],
  language: string | null,
  signal: AbortSignal,
  onShare: (share: number) => Promise<void>,
): Promise<RankedText> {
  const vectors = toVectors(sentences, stopWordsOf(language));
  const all = sentences.map((_, index) => index);
  const scores = new Array<number>(sentences.length).fill(0);
  const blocks = Math.ceil(sentences.length / BLOCK);
  const perBlock = Math.max(1, Math.floor(BLOCK / Math.max(1, blocks)));
  const winners: number[] = [];
  for (let block = 0; block < blocks; block++) {
    const members = all.slice(block * BLOCK, (block + 1) * BLOCK);
    for (const [member, score] of rankBlock(members, sentences, vectors)) scores[member] = score;
    winners.push(...[...members].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0)).slice(0, perBlock));
    await onShare((block + 1) / (blocks + 1));
    await nextTurn();
    signal.throwIfAborted();
  }
  if (blocks > 1) {
    // Above all that did not get into the last round: scores of a round are at most 1.
    for (const [member, score] of rankBlock(winners.slice(0, 2 * BLOCK), sentences, vectors))
      scores[member] = 1 + score;
  }
  return { scores, vectors };
}

/** Cosine of two vectors, 0 to 1. */
export function similarity(a: SentenceVector, b: SentenceVector): number {
  const [small, large] = a.size <= b.size ? [a, b] : [b, a];
  let sum = 0;
  for (const [word, weight] of small) sum += weight * (large.get(word) ?? 0);
  return sum;
}

/** Word counts times how rare the word is among the sentences (TF-IDF). */
function toVectors(sentences: readonly Sentence[], stopWords: ReadonlySet<string>): SentenceVector[] {
  const telling = sentences.map(({ words }) => words.map(foldWord).filter((word) => !stopWords.has(word)));
  const inSentences = new Map<string, number>();
  for (const words of telling)
    for (const word of new Set(words)) inSentences.set(word, (inSentences.get(word) ?? 0) + 1);
  return telling.map((words) => {
    const vector = new Map<string, number>();
    for (const word of words)
      vector.set(word, (vector.get(word) ?? 0) + Math.log(1 + sentences.length / (inSentences.get(word) ?? 1)));
    const length = Math.sqrt([...vector.values()].reduce((sum, weight) => sum + weight * weight, 0)) || 1;
    for (const [word, weight] of vector) vector.set(word, weight / length);
    return vector;
  });
}

/** Scores of the members among themselves, the best has 1. */
function rankBlock(
  members: readonly number[],
  sentences: readonly Sentence[],
  vectors: readonly SentenceVector[],
): Map<number, number> {
  const votes = votesOf(members, vectors);
  const size = members.length;
  let ranks = new Float64Array(size).fill(1 / size);
  for (let round = 0; round < ROUNDS; round++) {
    const next = new Float64Array(size).fill((1 - DAMPING) / size);
    for (const { from, to, share } of votes) next[to] = (next[to] ?? 0) + DAMPING * share * (ranks[from] ?? 0);
    ranks = next;
  }
  const weighed = members.map((member, index) => (ranks[index] ?? 0) * prior(sentences, member));
  const best = Math.max(...weighed, Number.MIN_VALUE);
  return new Map(members.map((member, index) => [member, (weighed[index] ?? 0) / best]));
}

function votesOf(
  members: readonly number[],
  vectors: readonly SentenceVector[],
): { from: number; to: number; share: number }[] {
  const none: SentenceVector = new Map();
  const edges: { from: number; to: number; share: number }[] = [];
  const totals = new Float64Array(members.length);
  for (let a = 0; a < members.length; a++) {
    for (let b = a + 1; b < members.length; b++) {
      const share = similarity(vectors[members[a] ?? -1] ?? none, vectors[members[b] ?? -1] ?? none);
      if (share < MIN_SIMILARITY) continue;
      edges.push({ from: a, to: b, share }, { from: b, to: a, share });
      totals[a] = (totals[a] ?? 0) + share;
      totals[b] = (totals[b] ?? 0) + share;
    }
  }
  return edges.map(({ from, to, share }) => ({ from, to, share: share / (totals[from] || 1) }));
}

/** Texts state their subject first, and paragraphs theirs; headings and scraps are not statements. */
function prior(sentences: readonly Sentence[], index: number): number {
  const sentence = sentences[index];
  if (sentence === undefined) return 0;
  const first = index === 0 ? 1.2 : sentences[index - 1]?.paragraph !== sentence.paragraph ? 1.05 : 1;
  const scrap = sentence.words.length < FEW_WORDS ? 0.3 : 1;
  const unfinished = /[.!?…。！？।]["'”’»)\]]*$/.test(sentence.text) ? 1 : 0.5;
  return first * scrap * unfinished;
}
