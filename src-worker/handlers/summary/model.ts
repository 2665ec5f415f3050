/** A summary by a language model, over the chat-completions protocol that OpenAI, Ollama, vLLM, llama.cpp and others speak. */

import { z } from 'zod';
import type { Clock } from '#queue/kernel/clock';
import { type BuiltInConfig, FatalError } from '../../handler';
import { withoutSecrets } from '../api/secrets';
import { decodeText, readBytes, readSnippet } from '../http/read-body';
import { statusError } from '../http/retry-after';

export interface ModelRequest {
  text: string;
  /** What the summary is to be, in words. */
  instruction: string;
  /** Same for every execution of a task. */
  idempotencyKey: string;
  signal: AbortSignal;
}

export interface ModelSummary {
  summary: string;
  /** As the server names it. */
  model: string;
}

const MAX_ANSWER_BYTES = 1024 * 1024;
const SNIPPET_BYTES = 2048;
const SNIPPET_CHARS = 200;

const Completion = z.object({
  model: z.string().optional(),
  choices: z.array(z.object({ message: z.object({ content: z.string().nullable() }) })).min(1),
});

/**
 * @throws {FatalError} the endpoint refuses the request (4xx), or does not speak the protocol
 * @throws {Error} 429 and 5xx, not before `Retry-After`; an answer without text
 */
export async function summariseByModel(
  ai: NonNullable<BuiltInConfig['ai']>,
  clock: Clock,
  { text, instruction, idempotencyKey, signal }: ModelRequest,
): Promise<ModelSummary> {
  const url = completionsUrl(ai.url);
  const response = await ai.fetch(url.href, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      'idempotency-key': idempotencyKey,
      ...(ai.key !== null && { authorization: `Bearer ${ai.key}` }),
    },
    body: JSON.stringify({
      model: ai.model,
      temperature: 0.2,
      messages: [
        { role: 'system', content: instruction },
        { role: 'user', content: text },
      ],
    }),
    signal,
    maxBytes: MAX_ANSWER_BYTES,
  });
  if (response.status >= 400) {
    const snippet = (await readSnippet(response, SNIPPET_BYTES)).replace(/[\p{Cc}\s]+/gu, ' ').trim();
    const clean = withoutSecrets(snippet, new Set(ai.key === null ? [] : [ai.key])).slice(0, SNIPPET_CHARS);
    throw statusError(
      response.status,
      `the model at ${url.origin} answered ${response.status}: ${clean}`,
      response.headers,
      clock,
    );
  }
  const body = decodeText(await readBytes(response), response.headers['content-type']);
  const completion = parseCompletion(body, url.origin);
  const summary = completion.choices[0]?.message.content?.trim() ?? '';
  if (summary === '') throw new Error(`the model at ${url.origin} answered with no text`);
  return { summary, model: completion.model ?? ai.model };
}

function parseCompletion(body: string | null, origin: string): z.output<typeof Completion> {
  try {
    return Completion.parse(JSON.parse(body ?? ''));
  } catch (cause) {
    throw new FatalError(
      `the answer of ${origin} is not a chat completion: is the URL that of an OpenAI-compatible endpoint?`,
      { cause },
    );
  }
}

/** Takes the server, its `/v1`, or the whole path, as people write them down. */
export function completionsUrl(base: string): URL {
  if (!URL.canParse(base)) throw new FatalError('the URL of the language model is not one');
  const url = new URL(base);
  const path = url.pathname.replace(/\/+$/, '');
  if (!path.endsWith('/chat/completions'))
    url.pathname = /\/v\d+$/.test(path) ? `${path}/chat/completions` : `${path}/v1/chat/completions`;
  return url;
}
