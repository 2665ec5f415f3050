/**
 * Which API a command talks to.
 *
 * `--api` names one. `--redis` on the command line means that Redis and nothing else: the same app is mounted inside this
 * process. Otherwise the API at the configured address, when a Millrace answers there; when none does and a Redis is
 * configured, the app inside this process. So there is one implementation of each command.
 */
import { Health } from '#queue/contract/http-system';
import type { Config } from '../config';
import { reasonOf, type Transport } from './api-client';
import { CliError, EXIT } from './exit';

export interface TransportInputs {
  config: Config;
  /** `--api`. */
  api: string | null;
  /** Mounts the app in this process. */
  mount: (config: Config) => Promise<Transport>;
}

const PROBE_MS = 3_000;

/** @throws {CliError} 2 for an address that is none, 3 where there is neither an API nor a Redis */
export async function chooseTransport({ config, api, mount }: TransportInputs): Promise<Transport> {
  const { token } = config.api;
  if (api !== null) return new HttpTransport(apiUrl(api), token);
  if (config.redisFromFlag) return mount(config);
  const http = new HttpTransport(configuredUrl(config), token);
  const fault = await probe(http);
  if (fault === null) return http;
  if (config.redis !== null) return mount(config);
  throw new CliError(
    EXIT.unreachable,
    `no Millrace answers at ${http.where} (${fault})\nStart one with: millrace --headless\nOr give --api URL, or --redis URL.`,
  );
}

export class HttpTransport implements Transport {
  readonly where: string;
  readonly #token: string | null;

  constructor(base: string, token: string | null) {
    this.where = base;
    this.#token = token;
  }

  fetch(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#token !== null) headers.set('authorization', `Bearer ${this.#token}`);
    return fetch(`${this.where}${path}`, { ...init, headers, redirect: 'error' });
  }

  async close(): Promise<void> {
    // Nothing is held open: the connections of `fetch` end with the process.
  }
}

function apiUrl(text: string): string {
  try {
    const url = new URL(text.includes('://') ? text : `http://${text}`);
    if (url.protocol === 'http:' || url.protocol === 'https:') return url.href.replace(/\/+$/, '');
  } catch (error) {
    throw new CliError(EXIT.usage, `--api: "${text}" is not a URL`, { cause: error });
  }
  throw new CliError(EXIT.usage, `--api: "${text}" must begin with http:// or https://`);
}

/** A server that listens on every address is reached on this machine by loopback. */
function configuredUrl({ api: { host, port } }: Config): string {
  const everywhere: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  const name = everywhere[host] ?? host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** @returns null where a Millrace answers, whatever the state of its Redis, else why not */
async function probe(transport: Transport): Promise<string | null> {
  try {
    const response = await transport.fetch('/health', { signal: AbortSignal.timeout(PROBE_MS) });
    const known = Health.safeParse(await response.json());
    return known.success ? null : 'something else answers there';
  } catch (error) {
    return error instanceof SyntaxError ? 'something else answers there' : reasonOf(error);
  }
}
