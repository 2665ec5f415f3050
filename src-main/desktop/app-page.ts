/**
 * `app://console`: the built console served out of the app itself, for the start page, which has no server yet. Files of
 * out/renderer only, and a policy that lets the page load nothing else and call nobody: it has the bridge.
 */
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Protocol } from 'electron';
import { APP_ORIGIN, APP_SCHEME } from './origins';

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
};

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "object-src 'none'",
  "frame-ancestors 'none'",
].join('; ');

const SAFE_SEGMENT = /^[A-Za-z0-9_@~-][A-Za-z0-9_.@~-]*$/;

/** Before the app is ready. */
export function declareAppScheme(protocol: Protocol): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: APP_SCHEME, privileges: { standard: true, secure: true, codeCache: true } },
  ]);
}

/** @param folder out/renderer; null where it was not built */
export function serveAppPage(protocol: Protocol, folder: string | null): void {
  protocol.handle(APP_SCHEME, (request) => answer(request.url, folder));
}

async function answer(address: string, folder: string | null): Promise<Response> {
  const url = new URL(address);
  const segments = url.pathname.split('/').filter((segment) => segment !== '');
  const ours = `${url.protocol}//${url.host}` === APP_ORIGIN && segments.every((segment) => SAFE_SEGMENT.test(segment));
  const name = segments.length === 0 ? 'index.html' : segments.join('/');
  const type = MEDIA_TYPES[extname(name)];
  const bytes = ours && type && folder !== null ? await readFile(join(folder, name)).catch(() => null) : null;
  if (bytes === null || type === undefined) return new Response('Not found', { status: 404 });
  return new Response(new Uint8Array(bytes), {
    headers: {
      'content-type': type,
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache',
    },
  });
}
