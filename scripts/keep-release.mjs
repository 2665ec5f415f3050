/**
 * `node scripts/keep-release.mjs <label> [folder]`: keeps the program that is built in `folder` (the project itself by
 * default), so that later versions can be tried beside it: tests/fixtures/releases/<version>-<label>.json.br, a JSON
 * object of file name → text, compressed. What is kept runs servers and workers; the console, the desktop and what only
 * the built-in handlers load are left out, and white space and comments with them. Names stay as they are.
 * tests/support/kept-release.ts unpacks it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { minifySync } from 'vite';
import { ROOT } from './run.mjs';

const FOLDER = join(ROOT, 'tests', 'fixtures', 'releases');
/** The desktop app, and what conversions and reports load when they first run. */
const LEFT_OUT = /^(index|chunk-(pdf|html|html-to-text|marked\.esm|sanitize-html|xlsx|chart-layout)-.{8})\.js$/;

const [label, folder = ROOT] = process.argv.slice(2);
const built = resolve(folder, 'out', 'main');
if (label === undefined || !/^[\w.]+$/.test(label) || !existsSync(join(built, 'cli.js'))) {
  console.error('usage: node scripts/keep-release.mjs <label> [folder of a built project]');
  process.exit(2);
}
const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const kept = { 'package.json': JSON.stringify({ name, version }) };
for (const file of readdirSync(built).sort()) {
  if (!file.endsWith('.js') || LEFT_OUT.test(file)) continue;
  kept[`out/main/${file}`] = withoutSpace(file, readFileSync(join(built, file), 'utf8'));
}
const packed = brotliCompressSync(JSON.stringify(kept), {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 },
});
mkdirSync(FOLDER, { recursive: true });
const path = join(FOLDER, `${version}-${label}.json.br`);
writeFileSync(path, packed);
console.log(`${path}: ${Object.keys(kept).length} files, ${Math.round(packed.length / 1024)} KiB`);

function withoutSpace(file, text) {
  const options = { module: false, compress: false, mangle: false, codegen: { removeWhitespace: true } };
  const { code, errors } = minifySync(file, text, options);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`);
  return code;
}
