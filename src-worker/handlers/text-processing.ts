/**
 * text_processing: what can be said about a text on this machine: counts, language, keywords, readability, and the
 * text in normal form. Operations that were not asked for are not done.
 */

import { z } from 'zod';
import { LIMITS } from '#queue/contract/limits';
import type { Artifact, BuiltInConfig, HandlerContext, HandlerDefinition } from '../handler';
import { hasOneSource, ONE_SOURCE, readText, textFields } from './text/input';
import { findKeywords, foldWord, type Keyword } from './text/keywords';
import { type DetectedLanguage, detectLanguage } from './text/language';
import { NormaliseOptions, normaliseText } from './text/normalise';
import { type Readability, readability } from './text/readability';
import { type SegmentedText, segmentText } from './text/segments';

const OPERATIONS = ['counts', 'language', 'keywords', 'readability', 'normalize'] as const;
type Operation = (typeof OPERATIONS)[number];
const DEFAULT_KEYWORDS = 10;
const WORDS_PER_MINUTE = 238; // silent reading of adults, Brysbaert 2019

export const TextProcessingPayload = z
  .strictObject({
    ...textFields,
    operations: z
      .union([z.enum(OPERATIONS), z.array(z.enum(OPERATIONS)).min(1)])
      .optional()
      .describe('What to find out; default all of it'),
    language: z
      .string()
      .regex(/^[a-z]{2}$/, 'must be an ISO 639-1 code such as "en"')
      .optional()
      .describe('ISO 639-1 code; default: detected'),
    max_keywords: z.int().min(1).max(100).optional().describe(`Default ${DEFAULT_KEYWORDS}`),
    normalize: NormaliseOptions.optional().describe('How the normal form is made'),
  })
  .refine(hasOneSource, { path: ['text'], message: ONE_SOURCE });
export type TextProcessingPayload = z.output<typeof TextProcessingPayload>;

export interface TextCounts {
  /** Unicode code points, line breaks included. */
  characters: number;
  characters_without_spaces: number;
  words: number;
  /** Regardless of case. */
  unique_words: number;
  sentences: number;
  paragraphs: number;
  lines: number;
  reading_time_seconds: number;
}

export interface TextResult {
  counts?: TextCounts;
  /** Null where there is too little to tell. */
  language?: DetectedLanguage | null;
  keywords?: Keyword[];
  readability?: Readability;
  /** Null where it is too long for a result: see `artifact`. */
  normalized_text?: string | null;
  artifact?: Pick<Artifact, 'name' | 'bytes' | 'media_type'>;
}

/** What the normal form may take of a result, as JSON. */
const INLINE_BYTES = LIMITS.resultBytes - 64 * 1024;

export function createTextProcessingHandler(config: BuiltInConfig): HandlerDefinition<typeof TextProcessingPayload> {
  return {
    type: 'text_processing',
    description: 'Counts, language, keywords, readability and normal form of a text',
    payload: TextProcessingPayload,
    run: (context) => processText(context, config),
  };
}

async function processText(context: HandlerContext<TextProcessingPayload>, config: BuiltInConfig): Promise<TextResult> {
  const { payload, progress, signal } = context;
  const wanted = new Set<Operation>(payload.operations === undefined ? OPERATIONS : [payload.operations].flat());
  const text = await readText(payload, config, signal);
  await progress(10, 'read the text');
  const detected = detectLanguage(text);
  const language = payload.language ?? detected?.code ?? null;
  await progress(20, language === null ? 'the language is not known' : `the language is ${detected?.name ?? language}`);
  const segmented = await segmentText(text, language, signal);
  await progress(60, `parted into ${segmented.sentences.length} sentences`);
  const result: TextResult = {};
  if (wanted.has('counts')) result.counts = countText(text, segmented);
  if (wanted.has('language')) result.language = detected;
  if (wanted.has('keywords'))
    result.keywords = findKeywords(segmented.sentences, language, payload.max_keywords ?? DEFAULT_KEYWORDS);
  signal.throwIfAborted();
  await progress(80, 'counted');
  if (wanted.has('readability')) result.readability = readability(segmented, language);
  if (wanted.has('normalize')) Object.assign(result, await normalForm(text, context));
  await progress(100, 'done');
  return result;
}

function countText(text: string, { sentences, paragraphs, wordCount }: SegmentedText): TextCounts {
  const unique = new Set<string>();
  for (const { words } of sentences) for (const word of words) unique.add(foldWord(word));
  let characters = 0;
  let spaces = 0;
  for (const char of text) {
    characters++;
    if (/\s/.test(char)) spaces++;
  }
  return {
    characters,
    characters_without_spaces: characters - spaces,
    words: wordCount,
    unique_words: unique.size,
    sentences: sentences.length,
    paragraphs,
    lines: text === '' ? 0 : text.replace(/\r\n?/g, '\n').replace(/\n$/, '').split('\n').length,
    reading_time_seconds: Math.round((wordCount / WORDS_PER_MINUTE) * 60),
  };
}

async function normalForm(
  text: string,
  { payload, artifacts }: HandlerContext<TextProcessingPayload>,
): Promise<Pick<TextResult, 'normalized_text' | 'artifact'>> {
  const normal = normaliseText(text, payload.normalize ?? {});
  if (Buffer.byteLength(JSON.stringify(normal)) <= INLINE_BYTES) return { normalized_text: normal };
  const { name, bytes, media_type } = await artifacts.write('normalized.txt', normal, 'text/plain; charset=utf-8');
  return { normalized_text: null, artifact: { name, bytes, media_type } };
}
