/**
 * What the test runtime runs, in place of the `default_app` of a development build: opens the app whose folder is named
 * on the command line. Knows `-r FILE` (Playwright's loader) and `--version`. See scripts/electron-runtime.mjs.
 */
const { readFileSync } = require('node:fs');
const { join, resolve } = require('node:path');
const { app } = require('electron');

const given = process.argv.slice(1);
if (given.includes('--version')) {
  process.stdout.write(`v${process.versions.electron}\n`);
  process.exit(0);
}

let folder;
for (let index = 0; index < given.length && folder === undefined; index++) {
  const argument = given[index];
  if (argument === '-r' || argument === '--require') require(resolve(given[++index]));
  else if (!argument.startsWith('-')) folder = resolve(argument);
}
if (folder === undefined) {
  process.stderr.write('electron: name the folder of an app\n');
  process.exit(1);
}

const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
app.setName(manifest.productName ?? manifest.name);
app.setVersion(manifest.version ?? '0.0.0');
app.setPath('userData', join(app.getPath('appData'), app.getName()));
app.setAppPath(folder);
require(join(folder, manifest.main ?? 'index.js'));
