/**
 * The API as the commands use it. Every answer is checked against its schema, every refusal becomes a `CliError` with the
 * exit code that belongs to it. Whether the API is another process or lives in this one is the transport's business.
 */
import type { z } from 'zod';
import { Problem } from '#queue/contract/http';
import { CliError, EXIT, type ExitCode } from './exit';

export interface Transport {
  /** For messages: the address, or what is used instead. */
  readonly where: string;
  /** @param path with its query, beginning with `/` @throws where the API cannot be reached */
  fetch(path: string, init: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>;
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export class ApiClient {
  readonly #transport: Transport;
  readonly #signal: AbortSignal;

  /** @param signal ends requests that are under way */
  constructor(transport: Transport, signal: AbortSignal) {
    this.#transport = transport;
    this.#signal = signal;
  }

  /** @throws {CliError} */
  get<Schema extends z.ZodType>(path: string, schema: Schema, query: Query = {}): Promise<z.output<Schema>> {
    return this.#json('GET', path + queryText(query), undefined, schema);
  }

  /** @throws {CliError} */
  post<Schema extends z.ZodType>(path: string, body: unknown, schema: Schema): Promise<z.output<Schema>> {
    return this.#json('POST', path, body, schema);
  }

  async #json<Schema extends z.ZodType>(
    method: Method,
    path: string,
    body: unknown,
    schema: Schema,
  ): Promise<z.output<Schema>> {
    const response = await this.#send(method, path, body);
    const text = await response.text();
    if (!response.ok) throw refusal(response.status, text, this.#transport.where);
    const parsed = schema.safeParse(parseJson(text));
    if (parsed.success) return parsed.data;
    throw new CliError(EXIT.failed, `${this.#transport.where} gave an answer that this version cannot read`, {
      cause: parsed.error,
    });
  }

  async #send(method: Method, path: string, body: unknown): Promise<Response> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    try {
      return await this.#transport.fetch(path, {
        method,
        headers,
        signal: this.#signal,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      if (this.#signal.aborted) throw new CliError(EXIT.interrupted, 'interrupted');
      if (error instanceof CliError) throw error;
      throw new CliError(EXIT.unreachable, `cannot reach ${this.#transport.where}: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }
}

/** `fetch` says only "fetch failed"; what happened is in the cause. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message;
  return cause instanceof Error ? cause.message || cause.name : error.message;
}

function queryText(query: Query): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined || value === null) continue;
    params.append(key, Array.isArray(value) ? value.join(',') : String(value));
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the schema refuses it
  }
}

function refusal(status: number, text: string, where: string): CliError {
  const problem = Problem.safeParse(parseJson(text));
  const exit = exitFor(status);
  if (!problem.success) return new CliError(exit, `${where} answered ${status}`);
  const { title, detail, errors = [] } = problem.data;
  const fields = errors.map(({ path, message }) => `\n  ${path}: ${message}`).join('');
  const told = detail === '' || detail === title ? title : `${title}: ${detail}`;
  return new CliError(exit, `${told}${fields}`);
}

const exitFor = (status: number): ExitCode => {
  if (status === 400 || status === 422) return EXIT.usage;
  return status === 503 || status === 502 || status === 504 ? EXIT.unreachable : EXIT.failed;
};
