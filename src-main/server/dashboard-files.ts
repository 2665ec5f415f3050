/**
 * The built dashboard at `/`. Files whose name carries a hash may be kept for ever, everything else is asked for again
 * each time. Addresses of its screens lead to index.html.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { mediaTypeByName } from './media-types';
import { dashboardPolicy } from './security-headers';

/** Vite: `name-` and eight or more characters of hash. */
const HASHED = /-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;
const SAFE_SEGMENT = /^[A-Za-z0-9_@~-][A-Za-z0-9_.@~-]*$/;

const NOT_BUILT =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>Millrace</title><h1>Millrace is running</h1><p>Its dashboard has not been built: run <code>npm run build</code> in its folder and start it again. The API is at <a href="/docs">/docs</a>.</html>';

/** @returns null where nothing is to be found there @param wantsPage whether a browser navigates there */
export async function dashboardFile(
  folder: string | null,
  path: string,
  request: { host: string | null; wantsPage: boolean; etag: string | null },
): Promise<Response | null> {
  const segments = path.split('/').filter((segment) => segment !== '');
  const isScreen = segments.length === 0 || (request.wantsPage && extname(path) === '');
  const name = isScreen ? 'index.html' : segments.join('/');
  if (!isScreen && !segments.every((segment) => SAFE_SEGMENT.test(segment))) return null;
  const bytes = folder === null ? null : await readFile(join(folder, name)).catch(() => null);
  if (bytes === null) return isScreen ? notBuilt(request.host) : null;
  const etag = `"${createHash('sha1').update(bytes).digest('base64url')}"`;
  const headers: Record<string, string> = {
    'content-type': mediaTypeByName(name),
    'cache-control': HASHED.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache',
    etag,
    ...(name.endsWith('.html') && { 'content-security-policy': dashboardPolicy(request.host) }),
  };
  return request.etag === etag ? new Response(null, { status: 304, headers }) : new Response(bytes, { headers });
}

const notBuilt = (host: string | null): Response =>
  new Response(NOT_BUILT, {
    headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': dashboardPolicy(host) },
  });
