/** What a browser loads before the console can start: index.html and what it names, without icon and fonts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** @returns bytes after gzip, by file */
export function bundleSizes(dir: string): Map<string, number> {
  const html = readFileSync(join(dir, 'index.html'), 'utf8');
  const named = [...html.matchAll(/<(?:script|link)\b[^>]*?\b(?:src|href)="\.?\/?([^"]+\.(?:js|css))"/g)];
  const files = ['index.html', ...named.flatMap(([, file]) => file ?? [])];
  return new Map(files.map((file) => [file, gzipSync(readFileSync(join(dir, file)), { level: 9 }).length]));
}
