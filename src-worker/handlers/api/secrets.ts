/**
 * Keeps what a caller sent in confidence out of errors: a server may echo the request in its answer, and the start
 * of that answer is part of the error, which everyone who may look at tasks can read.
 */

/** Header values that are never secret. */
const PLAIN_HEADERS = new Set([
  'accept',
  'accept-language',
  'accept-encoding',
  'cache-control',
  'content-type',
  'content-language',
  'user-agent',
  'idempotency-key',
  'origin',
  'referer',
]);
const SECRET_NAME = /auth|api[-_]?key|token|secret|passw|credential|signature|session|cookie|^key$|^sig$/i;
/** Shorter values are too likely to be part of ordinary words. */
const MIN_SECRET_LENGTH = 4;
const MAX_DEPTH = 8;

/** Removes every one of `secrets` from a text, the longest first. */
export function withoutSecrets(text: string, secrets: ReadonlySet<string>): string {
  let clean = text;
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) clean = clean.replaceAll(secret, '[redacted]');
  return clean;
}

/**
 * Every value of a request that may be secret: of headers but the plainest, of query fields and body fields with
 * a telling name, and of every segment of the path that is long enough to be a key (as in web-hook URLs).
 */
export function secretsOf(url: URL, headers: Readonly<Record<string, string>>, body: unknown): Set<string> {
  const found = new Set<string>();
  const add = (value: string): void => {
    if (value.length < MIN_SECRET_LENGTH) return;
    found.add(value);
    found.add(JSON.stringify(value).slice(1, -1));
    found.add(encodeURIComponent(value));
  };
  for (const [name, value] of Object.entries(headers)) {
    if (PLAIN_HEADERS.has(name.toLowerCase())) continue;
    add(value);
    const credentials = /^(basic|\w+)\s+(\S+)$/i.exec(value);
    if (credentials?.[2] === undefined) continue;
    add(credentials[2]);
    if (credentials[1]?.toLowerCase() !== 'basic') continue;
    const decoded = Buffer.from(credentials[2], 'base64').toString('utf8');
    add(decoded);
    add(decoded.slice(decoded.indexOf(':') + 1));
  }
  for (const [name, value] of url.searchParams) if (SECRET_NAME.test(name)) add(value);
  for (const segment of url.pathname.split('/')) if (segment.length >= 16 && /\d/.test(segment)) add(segment);
  addSecretFields(body, add, 0);
  return found;
}

function addSecretFields(value: unknown, add: (secret: string) => void, depth: number): void {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return;
  for (const [name, child] of Object.entries(value)) {
    if (typeof child === 'string' && SECRET_NAME.test(name)) add(child);
    else addSecretFields(child, add, depth + 1);
  }
}
