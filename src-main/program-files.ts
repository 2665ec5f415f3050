/** Where the parts of the built program lie; the same from a checkout, an installed package and inside an asar. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface ProgramFiles {
  /** The folder of package.json. */
  root: string;
  workerEntry: string;
  /** The built dashboard; null where it was not built. */
  dashboardDir: string | null;
  /** Files of the API's page; null where they are not shipped. */
  docsAssetsDir: string | null;
  /** Where a bundled redis-server would be. */
  resourcesDir: string;
}

/** @param start folder of a module of the program: `__dirname` */
export function findProgramFiles(start: string): ProgramFiles {
  const root = rootAbove(start);
  const present = (path: string): string | null => (existsSync(path) ? path : null);
  const packaged = root.endsWith('.asar');
  return {
    root,
    workerEntry: join(root, 'out', 'main', 'worker.js'),
    dashboardDir: present(join(root, 'out', 'renderer', 'index.html')) && join(root, 'out', 'renderer'),
    docsAssetsDir: present(join(root, 'out', 'main', 'docs')),
    resourcesDir: packaged ? dirname(root) : join(root, 'resources'),
  };
}

function rootAbove(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (dirname(folder) === folder) throw new Error(`no package.json above ${start}`);
  }
}
