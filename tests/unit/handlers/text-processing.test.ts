import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FatalError } from '#worker/handler';
import { countSyllables } from '#worker/handlers/text/readability';
import { segmentText } from '#worker/handlers/text/segments';
import { STOP_WORD_LANGUAGES, stopWordsOf } from '#worker/handlers/text/stop-words';
import { createTextProcessingHandler, TextProcessingPayload, type TextResult } from '#worker/handlers/text-processing';
import { createGuardedFetch } from '#worker/url-guard';
import { createBuiltInConfig, createContext, createTempFolder, runHandler } from '../../support/handler-context';
import { startHttpServer } from '../../support/http-server';

const handler = createTextProcessingHandler(createBuiltInConfig('/nonexistent'));
const processed = async (payload: Record<string, unknown>): Promise<TextResult> =>
  (await runHandler(handler, payload)).result as TextResult;
const { signal } = new AbortController();
const sentencesOf = async (text: string, language = 'en') =>
  (await segmentText(text, language, signal)).sentences.map((sentence) => sentence.text);

const ENGLISH = `The task queue keeps every task in Redis. A worker takes a task from the task queue, runs it, and tells the queue how it ended.

When a worker dies, its tasks go back to the task queue. Another worker finds them there. Redis keeps the order.`;

describe('counts', () => {
  it('counts characters, words, sentences, paragraphs and lines', async () => {
    const { counts } = await processed({
      text: 'One two three. Four five!\n\nOne more?\nYes.',
      operations: ['counts'],
    });
    expect(counts).toEqual({
      characters: 41,
      characters_without_spaces: 33,
      words: 8,
      unique_words: 7,
      sentences: 4,
      paragraphs: 2,
      lines: 4,
      reading_time_seconds: 2,
    });
  });

  it('counts an emoji as one character and words in any script', async () => {
    expect((await processed({ text: '👋 hi', operations: 'counts' })).counts).toMatchObject({
      characters: 4,
      words: 1,
    });
    expect((await processed({ text: '我喜欢学习中文。今天天气很好。', operations: 'counts' })).counts).toMatchObject({
      sentences: 2,
      words: 7,
    });
  });

  it.each(['', '   \n\n \t'])('finds nothing in %j', async (text) => {
    const result = await processed({ text });
    expect(result).toMatchObject({
      counts: { words: 0, sentences: 0, paragraphs: 0, unique_words: 0 },
      language: null,
      keywords: [],
      readability: { flesch_reading_ease: null, words_per_sentence: 0 },
      normalized_text: '',
    });
  });
});

describe('sentences', () => {
  it('do not end at abbreviations, initials, numbers or wrapped lines', async () => {
    expect(await sentencesOf('Dr. Smith paid $3.50 to Mr. J. S. Bach, e.g. for\nthe organ. He left.')).toEqual([
      'Dr. Smith paid $3.50 to Mr. J. S. Bach, e.g. for the organ.',
      'He left.',
    ]);
    expect(await sentencesOf('Das kostet z.B. 5 Euro. Hr. Meier zahlt.', 'de')).toEqual([
      'Das kostet z.B. 5 Euro.',
      'Hr. Meier zahlt.',
    ]);
  });

  it('end with the item of a list', async () => {
    expect(await sentencesOf('We need:\n- bread\n- milk\n2. water')).toEqual([
      'We need:',
      '- bread',
      '- milk',
      '2. water',
    ]);
  });
});

describe('long texts', () => {
  it('are parted as fast as short ones: time grows with length, not with its square', async () => {
    const text = 'words and more words. '.repeat(12_000); // one sentence by the rules: no capital begins the next
    const { sentences, wordCount } = await segmentText(text, 'en', signal);
    expect(wordCount).toBe(48_000);
    expect(sentences.length).toBeGreaterThan(100);
  }, 3000);

  it('have the same sentences wherever the windows fall', async () => {
    const sentences = Array.from(
      { length: 600 },
      (_, index) => `Sentence ${index} of ${'x'.repeat(index % 40)} Dr. Who is here.`,
    );
    expect(await sentencesOf(sentences.join(' '))).toEqual(sentences);
  });

  it('are not torn inside a character', async () => {
    const parts = await sentencesOf(`x${'👋'.repeat(3000)}`);
    expect(parts.join('')).toBe(`x${'👋'.repeat(3000)}`);
    for (const part of parts) expect(part).not.toMatch(/\p{Surrogate}/u);
  });
});

describe('language', () => {
  it.each([
    ['en', 'The quick brown fox jumps over the lazy dog and runs away into the forest.'],
    ['de', 'Der schnelle braune Fuchs springt über den faulen Hund und läuft in den Wald.'],
    ['fr', "Le renard brun et rapide saute par-dessus le chien paresseux et s'enfuit dans la forêt."],
    ['es', 'El rápido zorro marrón salta sobre el perro perezoso y huye hacia el bosque.'],
    ['it', 'La rapida volpe marrone salta sopra il cane pigro e scappa nella foresta.'],
    ['ru', 'Быстрая коричневая лиса прыгает через ленивую собаку и убегает в лес.'],
    ['ja', '素早い茶色の狐はのろまな犬を飛び越えて森へ逃げていきます。'],
  ])('is %s for a sentence in it', async (code, text) => {
    const { language } = await processed({ text, operations: ['language'] });
    expect(language).toMatchObject({ code });
    expect(language?.confidence).toBeGreaterThan(0);
  });
});

describe('keywords', () => {
  it('names what the text is about, the most telling first, without stop words', async () => {
    const { keywords } = await processed({ text: ENGLISH, operations: ['keywords'], max_keywords: 4 });
    expect(keywords?.[0]).toEqual({ term: 'task queue', score: 1, count: 3 });
    expect(keywords).toHaveLength(4);
    const terms = keywords?.map(({ term }) => term) ?? [];
    expect(terms).toEqual(expect.arrayContaining(['worker', 'redis']));
    expect(terms.filter((term) => stopWordsOf('en').has(term))).toEqual([]);
    expect(keywords?.map(({ score }) => score)).toEqual(
      [...(keywords ?? [])].map(({ score }) => score).sort((a, b) => b - a),
    );
  });

  it('leaves out the stop words of the language that was detected', async () => {
    const text =
      'Die Eisenbahn ist die wichtigste Verbindung, denn die Eisenbahn fährt auch im Winter, und die Eisenbahn ist pünktlich.';
    const { keywords } = await processed({ text, operations: ['keywords'] });
    expect(keywords?.[0]?.term).toBe('eisenbahn');
    expect(keywords?.map(({ term }) => term)).not.toContain('die');
  });

  it('are the same every time', async () => {
    expect(await processed({ text: ENGLISH })).toEqual(await processed({ text: ENGLISH }));
  });

  it.each(STOP_WORD_LANGUAGES)('has a list for %s that is lower case and real', (language) => {
    const words = stopWordsOf(language);
    expect(words.size).toBeGreaterThan(150);
    for (const word of words) expect(word).toMatch(/^[\p{Ll}\p{M}'-]+$/u);
  });

  it('has no list for a language that is not there', () => {
    expect(stopWordsOf('constructor').size).toBe(0);
    expect(stopWordsOf(null).size).toBe(0);
  });
});

describe('readability', () => {
  it('is what the formulas say', async () => {
    const { readability } = await processed({
      text: 'The cat sat on the mat.',
      language: 'en',
      operations: ['readability'],
    });
    expect(readability).toEqual({
      flesch_reading_ease: 116.15,
      level: 'very easy',
      flesch_kincaid_grade: -1.45,
      automated_readability_index: -5.09,
      lix: 6,
      words_per_sentence: 6,
      syllables_per_word: 1,
    });
  });

  it('is lower for a harder text', async () => {
    const easy = await processed({ text: 'I have a dog. He is big. We run a lot.', language: 'en' });
    const hard = await processed({
      text: 'Notwithstanding considerable institutional opposition, the administration subsequently implemented comprehensive regulatory modifications.',
      language: 'en',
    });
    expect(easy.readability?.flesch_reading_ease).toBeGreaterThan(90);
    expect(hard.readability).toMatchObject({ level: 'very difficult' });
  });

  it('has its own constants for each language, and says nothing where there are none', async () => {
    const german = await processed({ text: 'Der Hund ist da.', language: 'de' });
    expect(german.readability?.flesch_reading_ease).toBe(180 - 4 - 58.5);
    const chinese = await processed({ text: '我喜欢学习中文。', language: 'zh' });
    expect(chinese.readability).toMatchObject({ flesch_reading_ease: null, level: null, lix: null });
  });

  it.each([
    ['make', 1],
    ['makes', 1],
    ['asked', 1],
    ['wanted', 2],
    ['table', 2],
    ['boxes', 2],
    ['readability', 5],
    ['the', 1],
    ['rhythm', 1],
    ['42', 1],
  ])('counts the syllables of %s: %i', (word, syllables) => {
    expect(countSyllables(word, 'en')).toBe(syllables);
  });
});

describe('the normal form', () => {
  const normal = async (text: string, normalize?: object) =>
    (await processed({ text, operations: ['normalize'], normalize })).normalized_text;

  it('has one kind of space, line break, quote and accent, and nothing invisible', async () => {
    const composed = 'é';
    expect(composed).toHaveLength(1);
    expect(await normal('\ufeff“Cafe\u0301”\u00a0 is\u200b  here \r\n\r\n\r\n\r\nit’s\tfine\u0007 ')).toBe(
      `"Caf${composed}" is here\n\nit's fine`,
    );
  });

  it('keeps emoji that are joined', async () => {
    expect(await normal('👩‍💻')).toBe('👩‍💻');
  });

  it.each([
    ['ﬁne ¹', { form: 'NFKC' }, 'fine 1'],
    ['ÀÉ', { lowercase: true }, 'àé'],
    ['Crème brûlée', { strip_diacritics: true }, 'Creme brulee'],
    ['Well, yes: no!', { strip_punctuation: true }, 'Well yes no'],
    ['“so”', { straight_quotes: false }, '“so”'],
    ['one\ntwo\n\nthree', { unwrap: true }, 'one two\n\nthree'],
  ])('%j with %j is %j', async (text, options, expected) => {
    expect(await normal(text, options)).toBe(expected);
  });

  it('becomes a file where it is too long for a result', async () => {
    await using folder = await createTempFolder();
    const text = 'words and more words. '.repeat(12_000).trim();
    const { result } = await runHandler(handler, { text, operations: 'normalize' }, { folder: folder.path });
    expect(result).toEqual({
      normalized_text: null,
      artifact: { name: 'normalized.txt', bytes: text.length, media_type: 'text/plain; charset=utf-8' },
    });
    expect(await readFile(join(folder.path, 'normalized.txt'), 'utf8')).toBe(text);
  });
});

describe('the input', () => {
  it('may be a file or a page on the web, whose markup is left out', async () => {
    await using folder = await createTempFolder();
    await writeFile(join(folder.path, 'note.txt'), 'Three small words.');
    await using server = await startHttpServer(
      (_request, response) =>
        void response
          .writeHead(200, { 'content-type': 'text/html' })
          .end('<html><body><nav>menu</nav><p>Hello <b>you</b>.</p><script>x()</script></body></html>'),
    );
    const fetch = createGuardedFetch({ allowPrivate: true, allowHosts: [], refuse: [], connectTimeoutMs: 1000 });
    const reading = createTextProcessingHandler(createBuiltInConfig(folder.path, { fetch }));
    expect((await runHandler(reading, { path: 'note.txt', operations: 'counts' })).result).toMatchObject({
      counts: { words: 3 },
    });
    expect((await runHandler(reading, { url: server.origin, operations: 'normalize' })).result).toEqual({
      normalized_text: 'Hello you.',
    });
  });

  it('is refused where it is not text', async () => {
    await using folder = await createTempFolder();
    await writeFile(join(folder.path, 'image.bin'), Buffer.from([0x89, 0xff, 0x00, 0x01]));
    const reading = createTextProcessingHandler(createBuiltInConfig(folder.path));
    await expect(runHandler(reading, { path: 'image.bin' })).rejects.toThrow(FatalError);
  });

  it.each([
    ['nothing', {}],
    ['two inputs', { text: 'x', path: 'y' }],
    ['an unknown operation', { text: 'x', operations: ['sing'] }],
    ['an unknown field', { text: 'x', colour: 'red' }],
    ['text that is no text', { text: 7 }],
  ])('does not take %s', (_what, payload) => {
    expect(TextProcessingPayload.safeParse(payload).success).toBe(false);
  });

  it('has a payload that can be shown as a form', () => {
    const schema = z.toJSONSchema(TextProcessingPayload, { io: 'input' });
    expect(schema.properties?.text).toEqual({ type: 'string', description: 'The text' });
  });
});

it('reports what it has done', async () => {
  const { progress } = await runHandler(handler, { text: ENGLISH });
  expect(progress.map(({ message }) => message)).toEqual([
    'read the text',
    'the language is English',
    'parted into 5 sentences',
    'counted',
    'done',
  ]);
});

it('does only what it is asked for', async () => {
  expect(Object.keys(await processed({ text: ENGLISH, operations: ['readability', 'language'] })).sort()).toEqual([
    'language',
    'readability',
  ]);
});

it('stops in the middle of a long text when it is cancelled', async () => {
  const { context, abort, progress } = createContext<TextProcessingPayload>({
    text: 'A short sentence. '.repeat(20_000),
    language: 'en',
  });
  const running = handler.run({
    ...context,
    progress: async (percent, message) => {
      await context.progress(percent, message);
      if (percent === 20) setImmediate(() => abort(new Error('the task was cancelled')));
    },
  });
  await expect(running).rejects.toThrow('the task was cancelled');
  expect(progress.at(-1)?.percent).toBe(20);
});
