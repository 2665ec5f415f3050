/** The page at /docs: Swagger UI, its files served from this process. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mediaTypeByName } from './media-types';
import { docsPolicy } from './security-headers';

/** Of swagger-ui-dist; the build copies them. */
export const DOCS_FILES = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'] as const;
const START = 'start.js';
export const DOCS_ASSETS: readonly string[] = [...DOCS_FILES, START];

const HEAD =
  '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Millrace API</title>';
const PAGE = `${HEAD}<link rel="icon" href="/docs/favicon-32x32.png"><link rel="stylesheet" href="/docs/swagger-ui.css"><div id="ui"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></html>`;
const PLAIN_PAGE = `${HEAD}<h1>Millrace API</h1><p>The reader for this document was not shipped with this build; the document itself is at <a href="/openapi.json">/openapi.json</a>.</html>`;
/** No validator badge: it would be loaded from outside. */
const START_SCRIPT =
  "SwaggerUIBundle({ url: '/openapi.json', dom_id: '#ui', deepLinking: true, validatorUrl: null, persistAuthorization: false, tryItOutEnabled: true });\n";

export function docsPage(hasAssets: boolean): Response {
  return new Response(hasAssets ? PAGE : PLAIN_PAGE, {
    headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': docsPolicy() },
  });
}

/** @param folder swagger-ui-dist, or a copy of the files named here; null where it is not shipped @returns null for anything else */
export async function docsAsset(folder: string | null, name: string): Promise<Response | null> {
  const headers = { 'content-type': mediaTypeByName(name), 'cache-control': 'public, max-age=3600' };
  if (name === START) return new Response(START_SCRIPT, { headers });
  if (folder === null || !(DOCS_FILES as readonly string[]).includes(name)) return null;
  const bytes = await readFile(join(folder, name)).catch(() => null);
  return bytes === null ? null : new Response(bytes, { headers });
}
