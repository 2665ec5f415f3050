/**
 * Who calls. A token is compared by its SHA-256, in constant time against every one that we know; keys are kept as
 * hashes only. Keys made or revoked by another process are seen within two seconds.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { QueueError } from '#queue/contract/errors';
import type { Role } from '#queue/contract/http';
import type { Clock } from '#queue/kernel/clock';
import { headerValue, type RequestHeaders } from './guard';
import type { KeyStore } from './ports';
import type { ConfiguredToken } from './settings';

export interface Identity {
  /** For the audit, and the owner of what it submits where `via` is `key`. */
  name: string;
  role: Role;
  /** `open`: no token, where none is needed. `trusted`: inside this process. */
  via: 'open' | 'token' | 'key' | 'trusted';
}

const KEYS_TTL_MS = 2000;
const MAX_TOKEN_LENGTH = 4096;
const BEARER_PROTOCOL = 'bearer.';

export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex');

/** From `Authorization: Bearer`, or, for WebSocket, `Sec-WebSocket-Protocol: millrace, bearer.<token>`. */
export function tokenOf(headers: RequestHeaders): string | null {
  const authorization = headerValue(headers, 'authorization');
  if (authorization !== null) return /^Bearer +(\S+)$/i.exec(authorization.trim())?.[1] ?? '';
  const protocols = headerValue(headers, 'sec-websocket-protocol') ?? '';
  const bearer = protocols.split(',').find((protocol) => protocol.trim().startsWith(BEARER_PROTOCOL));
  return bearer === undefined ? null : bearer.trim().slice(BEARER_PROTOCOL.length);
}

interface KnownToken {
  hash: Buffer;
  identity: Identity;
}

export class Authenticator {
  readonly #deps: { keys: KeyStore; clock: Clock };
  readonly #configured: readonly KnownToken[];
  readonly #open: boolean;
  #keys: readonly KnownToken[] = [];
  #keysAt = Number.NEGATIVE_INFINITY;

  /** @param required whether a request without a token is refused; a configured token is always required */
  constructor(deps: { keys: KeyStore; clock: Clock; tokens: readonly ConfiguredToken[]; required: boolean }) {
    this.#deps = deps;
    this.#configured = deps.tokens.map(({ name, role, token }) => ({
      hash: Buffer.from(hashToken(token), 'hex'),
      identity: { name, role, via: 'token' },
    }));
    this.#open = !deps.required && deps.tokens.length === 0;
  }

  /** @throws {QueueError} UNAUTHENTICATED; REDIS_UNREACHABLE where the keys cannot be read and the token is not configured */
  async authenticate(headers: RequestHeaders): Promise<Identity> {
    const token = tokenOf(headers);
    if (token === null) {
      if (this.#open) return { name: 'local', role: 'admin', via: 'open' };
      throw new QueueError('UNAUTHENTICATED', 'give a token: Authorization: Bearer <token>');
    }
    if (token.length === 0 || token.length > MAX_TOKEN_LENGTH) {
      throw new QueueError('UNAUTHENTICATED', 'the Authorization header is not "Bearer <token>"');
    }
    const hash = Buffer.from(hashToken(token), 'hex');
    const identity = match(this.#configured, hash) ?? match(await this.#loadKeys(), hash);
    if (identity === null) throw new QueueError('UNAUTHENTICATED', 'this token is not known');
    return identity;
  }

  /** Keys were changed by this process: look again at once. */
  forgetKeys(): void {
    this.#keysAt = Number.NEGATIVE_INFINITY;
  }

  async #loadKeys(): Promise<readonly KnownToken[]> {
    const now = this.#deps.clock.monotonic();
    if (now - this.#keysAt >= KEYS_TTL_MS) {
      const stored = await this.#deps.keys.list();
      this.#keys = stored.map(({ name, role, sha256 }) => ({
        hash: Buffer.from(sha256, 'hex'),
        identity: { name, role, via: 'key' },
      }));
      this.#keysAt = now;
    }
    return this.#keys;
  }
}

/** Looks at all of them, so that the time does not tell which one it was. */
function match(known: readonly KnownToken[], hash: Buffer): Identity | null {
  let found: Identity | null = null;
  for (const candidate of known) {
    if (candidate.hash.length === hash.length && timingSafeEqual(candidate.hash, hash)) found = candidate.identity;
  }
  return found;
}
