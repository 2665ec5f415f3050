/** A summary made of sentences of the text, in their order: nothing is invented, and nothing leaves this machine. */
import type { SegmentedText, Sentence } from '../text/segments';
import type { SummaryLimits } from './limits';
import { type RankedText, similarity } from './rank';

/** A sentence this close to a chosen one says the same again. */
const TOO_SIMILAR = 0.6;

/**
 * Takes the best sentences that fit, in the order of the text. Where not even the shortest fits, the best one is cut,
 * so that there is a summary of every text that has a sentence.
 * @param separatorChars what each sentence costs besides its own characters
 */
export function chooseSentences(
  { sentences }: SegmentedText,
  { scores, vectors }: RankedText,
  limits: SummaryLimits,
  separatorChars: number,
): string[] {
  const byScore = sentences.map((_, index) => index).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  const chosen: number[] = [];
  let words = 0;
  let length = 0;
  for (const index of byScore) {
    if (chosen.length >= limits.maxSentences) break;
    const sentence = sentences[index];
    const vector = vectors[index];
    if (sentence === undefined || vector === undefined) continue;
    const chars = sentence.text.length + separatorChars;
    if (words + sentence.words.length > limits.maxWords || length + chars > limits.maxLength) continue;
    if (chosen.some((other) => similarity(vector, vectors[other] ?? new Map()) > TOO_SIMILAR)) continue;
    chosen.push(index);
    words += sentence.words.length;
    length += chars;
  }
  if (chosen.length > 0) return chosen.sort((a, b) => a - b).map((index) => sentences[index]?.text ?? '');
  const best = sentences[byScore[0] ?? -1];
  return best === undefined ? [] : [cut(best, { ...limits, maxLength: limits.maxLength - separatorChars })];
}

/** The start of a sentence, up to a word, with an ellipsis. */
function cut(sentence: Sentence, { maxWords, maxLength }: SummaryLimits): string {
  let end = 0;
  for (const word of sentence.words.slice(0, maxWords === Number.POSITIVE_INFINITY ? undefined : maxWords)) {
    const at = sentence.text.indexOf(word, end) + word.length;
    if (at + 1 > maxLength) break;
    end = at;
  }
  const start =
    end > 0
      ? sentence.text.slice(0, end)
      : sentence.text.slice(0, Math.max(0, Math.min(maxLength, sentence.text.length) - 1));
  return `${start}…`;
}
