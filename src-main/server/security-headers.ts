/** Headers that every answer carries, and what pages may load. Nothing comes from outside this process. */

const BASE: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

/** Data is no page: it loads nothing and is framed nowhere. */
const DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox";

export function addSecurityHeaders(headers: Headers): void {
  for (const [name, value] of Object.entries(BASE)) headers.set(name, value);
  if (!headers.has('content-security-policy')) headers.set('content-security-policy', DATA_POLICY);
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store');
}

const pagePolicy = (style: string, connect: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src ${style}`,
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    `connect-src ${connect}`,
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "object-src 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/** @param host the Host of the request, which the guard has checked: older browsers do not count WebSockets among 'self' */
export const dashboardPolicy = (host: string | null): string =>
  pagePolicy("'self'", host === null ? "'self'" : `'self' ws://${host} wss://${host}`);

/** Swagger UI writes style attributes. */
export const docsPolicy = (): string => pagePolicy("'self' 'unsafe-inline'", "'self'");
