/** A payment provider, spoken to over HTTP. What the socket says becomes the error's name: ECONNRESET, ECONNREFUSED. */
import { request } from 'node:http';

export class PspError extends Error {
  constructor(cause: NodeJS.ErrnoException) {
    super(cause.message, { cause });
    this.name = cause.code ?? 'PspError';
  }
}

export interface Charge {
  readonly id: string;
  readonly state: string;
}

export class PspClient {
  readonly #endpoint: string;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  async capture(key: string, order: object, signal: AbortSignal): Promise<Charge> {
    return await this.#post('/v2/captures', key, order, signal);
  }

  async refund(key: string, order: object, signal: AbortSignal): Promise<Charge> {
    return await this.#post('/v2/refunds', key, order, signal);
  }

  /** The key makes a repeated call the same call: a task may run more than once. */
  async #post(path: string, key: string, body: object, signal: AbortSignal): Promise<Charge> {
    try {
      return await send(new URL(path, this.#endpoint), key, JSON.stringify(body), signal);
    } catch (error) {
      signal.throwIfAborted();
      throw new PspError(error as NodeJS.ErrnoException);
    }
  }
}

function send(url: URL, key: string, body: string, signal: AbortSignal): Promise<Charge> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  return new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', headers, signal, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(JSON.parse(text) as Charge);
        else reject(new Error(`${url.pathname} answered ${response.statusCode}`));
      });
    });
    call.on('error', reject);
    call.end(body);
  });
}
