import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FatalError, RetryLater } from '#worker/handler';
import {
  AiSummarizationPayload,
  createAiSummarizationHandler,
  type SummaryResult,
} from '#worker/handlers/ai-summarization';
import { completionsUrl } from '#worker/handlers/summary/model';
import { createGuardedFetch } from '#worker/url-guard';
import { createBuiltInConfig, createContext, runHandler, TEST_TASK_ID } from '../../support/handler-context';
import { type Answer, startHttpServer } from '../../support/http-server';

const ARTICLE = `Task queues

A task queue moves work out of the request. The web server writes a task to the queue and answers at once. A worker takes the task from the queue and does the work later.

Our office has a coffee machine. It is blue.

When a worker crashes, the task queue gives its task to another worker. For this, each worker holds a lease on its task, and the lease ends when the worker is silent. The task queue therefore runs each task at least once.

Bananas are yellow. A worker that finished a task tells the task queue, and the queue keeps the result of the task.`;

const local = createAiSummarizationHandler(createBuiltInConfig('/nonexistent'));
const summarised = async (payload: Record<string, unknown>) =>
  (await runHandler(local, { text: ARTICLE, ...payload })).result as SummaryResult;

describe('on this machine', () => {
  it('takes the sentences that the text is about, in the order of the text', async () => {
    const { summary, sentences, method, compression, language } = await summarised({ max_sentences: 4 });
    expect(method).toBe('extractive');
    expect(language).toBe('en');
    expect(sentences).toHaveLength(4);
    expect(summary).toBe(sentences.join(' '));
    const flat = ARTICLE.replace(/\s+/g, ' ');
    const positions = sentences.map((sentence) => flat.indexOf(sentence));
    expect(positions.every((position) => position >= 0)).toBe(true);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    expect(summary).toContain('task queue');
    expect(summary).not.toMatch(/coffee|blue|Bananas/);
    expect(compression).toBeGreaterThan(0.2);
    expect(compression).toBeLessThan(0.8);
  });

  it('is a fifth of the sentences, at most five, where no limit is given', async () => {
    expect((await summarised({})).sentences).toHaveLength(3);
    expect((await summarised({ text: 'One short statement is here.' })).sentences).toEqual([
      'One short statement is here.',
    ]);
  });

  it.each([
    ['max_words', 25, (summary: string) => summary.split(/\s+/).length],
    ['max_words', 3, (summary: string) => summary.split(/\s+/).length],
    ['max_length', 120, (summary: string) => summary.length],
    ['max_length', 20, (summary: string) => summary.length],
    ['ratio', 0.3, (summary: string) => summary.split(/\s+/).length / ARTICLE.split(/\s+/).length],
  ])('keeps to %s %d', async (field, limit, measure) => {
    for (const style of ['paragraph', 'bullets']) {
      const { summary, sentences } = await summarised({ [field]: limit, style });
      expect(sentences.length).toBeGreaterThan(0);
      const plain = field === 'max_length' ? summary : summary.replace(/^- /gm, '');
      expect(measure(plain)).toBeLessThanOrEqual(limit);
    }
  });

  it('cuts a sentence that is too long at a word, and says so', async () => {
    expect(
      (await summarised({ text: 'Considerable opposition delayed the new railway for years.', max_words: 3 })).summary,
    ).toBe('Considerable opposition delayed…');
  });

  it('does not say the same twice', async () => {
    const text = `The new bridge over the river opens in March. ${'The new bridge over the river opens in March 2026. '.repeat(5)}Tolls for the bridge pay back the city. Ships pass below the bridge at noon.`;
    const { sentences } = await summarised({ text, max_sentences: 3 });
    expect(sentences.filter((sentence) => sentence.includes('opens'))).toHaveLength(1);
  });

  it('makes bullets and headlines', async () => {
    const bullets = await summarised({ style: 'bullets', max_sentences: 2 });
    expect(bullets.summary).toBe(bullets.sentences.map((sentence) => `- ${sentence}`).join('\n'));
    expect((await summarised({ style: 'headline' })).sentences).toHaveLength(1);
  });

  it('knows the stop words of the language', async () => {
    const text =
      'Die Bahn baut eine neue Strecke. Die Strecke verbindet die Stadt mit dem Hafen. Die Sonne scheint heute. Der Bau der Strecke kostet die Bahn viel Geld. Es gibt auch Kuchen.';
    const { summary, language } = await summarised({ text, max_sentences: 2 });
    expect(language).toBe('de');
    expect(summary).not.toMatch(/Sonne|Kuchen/);
  });

  it('is the same every time', async () => {
    expect(await summarised({})).toEqual(await summarised({}));
  });

  it('takes a long text in reasonable time, with progress', async () => {
    const text = Array.from(
      { length: 4000 },
      (_, index) => `Sentence number ${index} tells about topic ${index % 37} and item ${index % 101}.`,
    ).join(' ');
    const { result, progress } = await runHandler(local, { text, max_sentences: 7 });
    expect((result as SummaryResult).sentences).toHaveLength(7);
    expect(progress.filter(({ message }) => message === 'weighing the sentences').length).toBeGreaterThan(10);
  }, 15_000);

  it('stops between two blocks when it is cancelled', async () => {
    const text = Array.from(
      { length: 2000 },
      (_, index) => `Sentence number ${index} tells about topic ${index % 37}.`,
    ).join(' ');
    const { context, abort } = createContext<AiSummarizationPayload>({ text });
    const running = local.run({
      ...context,
      progress: async (percent, message) => {
        await context.progress(percent, message);
        if (message === 'weighing the sentences') abort(new Error('the task was cancelled'));
      },
    });
    await expect(running).rejects.toThrow('the task was cancelled');
  });

  it.each(['', ' \n ', '!!! …'])('fails for good where there is no text in %j', async (text) => {
    await expect(summarised({ text })).rejects.toThrow(FatalError);
  });
});

describe('by a model', () => {
  const completion = (content: unknown) =>
    JSON.stringify({
      id: 'x',
      model: 'small-model-2',
      choices: [{ index: 0, message: { role: 'assistant', content } }],
    });

  async function setup(answer: Answer) {
    const server = await startHttpServer(answer);
    const fetch = createGuardedFetch({
      allowPrivate: false,
      allowHosts: [new URL(server.origin).host],
      refuse: [],
      connectTimeoutMs: 1000,
    });
    const handler = createAiSummarizationHandler(
      createBuiltInConfig('/nonexistent', {
        ai: { url: `${server.origin}/v1`, key: 'sk-s3cret-key', model: 'small-model', fetch },
      }),
    );
    return {
      server,
      handler,
      failure: () =>
        runHandler(handler, { text: ARTICLE }).then(
          () => expect.fail('it should have failed'),
          (error: unknown) => error,
        ),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  }

  it('asks the endpoint over the chat-completions protocol and gives its answer', async () => {
    await using world = await setup(
      (_request, response) => void response.end(completion('Queues move work. Workers do it.\n')),
    );
    const { result } = await runHandler(world.handler, { text: ARTICLE, max_words: 40, style: 'bullets' });
    expect(result).toMatchObject({
      summary: 'Queues move work. Workers do it.',
      sentences: ['Queues move work.', 'Workers do it.'],
      method: 'model',
      model: 'small-model-2',
    });
    expect((result as SummaryResult).compression).toBeCloseTo(6 / 108, 1);
    const [request] = world.server.received;
    expect(request).toMatchObject({ method: 'POST', url: '/v1/chat/completions' });
    expect(request?.headers).toMatchObject({
      authorization: 'Bearer sk-s3cret-key',
      'content-type': 'application/json',
      'idempotency-key': TEST_TASK_ID,
    });
    const body = JSON.parse(request?.body ?? '');
    expect(body).toMatchObject({
      model: 'small-model',
      messages: [{ role: 'system' }, { role: 'user', content: ARTICLE }],
    });
    expect(body.messages[0].content).toContain('at most 40 words');
    expect(body.messages[0].content).toContain('as a list');
  });

  it('is asked again later when it is busy, at the time that it names', async () => {
    await using world = await setup(
      (_request, response) => void response.writeHead(429, { 'retry-after': '12' }).end('slow down'),
    );
    const error = await world.failure();
    expect(error).toBeInstanceOf(RetryLater);
    expect(error).toMatchObject({ seconds: 12 });
  });

  it('is asked again when it fails', async () => {
    await using world = await setup((_request, response) => void response.writeHead(500).end());
    const error = await world.failure();
    expect(error).not.toBeInstanceOf(FatalError);
    expect(String(error)).toContain('answered 500');
  });

  it('is not asked again when it refuses, and the key is in no error', async () => {
    await using world = await setup(
      ({ headers }, response) => void response.writeHead(401).end(`bad key ${headers.authorization}`),
    );
    const error = await world.failure();
    expect(error).toBeInstanceOf(FatalError);
    expect(String(error)).toContain('answered 401: bad key Bearer [redacted]');
    expect(String(error)).not.toContain('s3cret');
  });

  it('fails for good where something else answers', async () => {
    await using world = await setup((_request, response) => void response.end('<html>hello</html>'));
    const error = await world.failure();
    expect(error).toBeInstanceOf(FatalError);
    expect(String(error)).toContain('not a chat completion');
  });

  it.each([null, '', '  '])('fails for now when it says nothing: %j', async (content) => {
    await using world = await setup((_request, response) => void response.end(completion(content)));
    expect(await world.failure()).not.toBeInstanceOf(FatalError);
  });

  it.each([
    ['http://h', 'http://h/v1/chat/completions'],
    ['http://h/', 'http://h/v1/chat/completions'],
    ['http://h/v1', 'http://h/v1/chat/completions'],
    ['http://h/v1/', 'http://h/v1/chat/completions'],
    ['http://h/openai/v1?api-version=2', 'http://h/openai/v1/chat/completions?api-version=2'],
    ['http://h/x/chat/completions', 'http://h/x/chat/completions'],
  ])('is found at %s', (base, url) => {
    expect(completionsUrl(base).href).toBe(url);
  });
});

it.each([
  ['nothing', {}],
  ['two texts', { text: 'x', url: 'http://a.example' }],
  ['an unknown style', { text: 'x', style: 'poem' }],
  ['an unknown field', { text: 'x', colour: 'red' }],
  ['a ratio beyond 1', { text: 'x', ratio: 2 }],
])('does not take %s', (_what, payload) => {
  expect(AiSummarizationPayload.safeParse(payload).success).toBe(false);
});

it('has a payload that can be shown as a form, and an alias', () => {
  expect(z.toJSONSchema(AiSummarizationPayload, { io: 'input' }).properties?.style).toMatchObject({
    enum: ['paragraph', 'bullets', 'headline'],
  });
  expect(local.aliases).toEqual(['summarize']);
});
