/** How long a summary may be. Where several limits are given, the tightest holds. */
import type { Sentence } from '../text/segments';

export interface SummaryLimits {
  maxSentences: number;
  /** Infinity where there is none. */
  maxWords: number;
  /** Characters; Infinity where there is none. */
  maxLength: number;
}

const DEFAULT_SHARE = 0.2;
const DEFAULT_SENTENCES = 5;

export interface LimitFields {
  max_sentences?: number | undefined;
  max_words?: number | undefined;
  max_length?: number | undefined;
  ratio?: number | undefined;
}

/** Without any limit: a fifth of the sentences, at most five. A ratio is a share of the words where it stands with no other limit. */
export function limitsFor(fields: LimitFields, sentences: readonly Sentence[], wordCount: number): SummaryLimits {
  const byRatio =
    fields.ratio === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.round(wordCount * fields.ratio));
  const bounded = [fields.max_words, fields.max_length, fields.ratio].some((limit) => limit !== undefined);
  const usual = bounded
    ? Number.POSITIVE_INFINITY
    : Math.min(DEFAULT_SENTENCES, Math.max(1, Math.ceil(sentences.length * DEFAULT_SHARE)));
  return {
    maxSentences: fields.max_sentences ?? usual,
    maxWords: Math.min(fields.max_words ?? Number.POSITIVE_INFINITY, byRatio),
    maxLength: fields.max_length ?? Number.POSITIVE_INFINITY,
  };
}
