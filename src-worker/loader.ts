/**
 * Finds and loads the handler files of a folder: TypeScript and JavaScript alike, with `import … from 'millrace'`
 * served from memory. No node_modules beside the folder is needed, and a handler's FatalError is the worker's own
 * class. Files are loaded by jiti, which comes with the program; its compiler is only read when there are files.
 */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { describeThrown } from './error-report';
import type { AnyHandler } from './handler';
import { handlerFault, isHandler } from './handler-check';

const EXTENSIONS = new Set(['.ts', '.mts', '.js', '.mjs', '.cjs']);
const NOT_A_HANDLER = /(?:\.d\.[cm]?ts|\.(?:test|spec)\.[cm]?[jt]s|\.config\.[cm]?[jt]s)$/;
const SKIPPED_FOLDERS = new Set(['node_modules', '__tests__', 'tests', 'test', 'lib', 'programs']);
const MOST_FILES = 1000;

export interface LoadedHandler {
  handler: AnyHandler;
  /** Absolute; named in errors. */
  file: string;
  /** Where relative paths of `exec` start. */
  folder: string;
}

/** Some files cannot be used. `faults` has one line for each: file and reason. */
export class HandlerLoadError extends Error {
  override readonly name = 'HandlerLoadError';
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(`handlers could not be loaded:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.faults = faults;
  }
}

export interface LoaderOptions {
  /** What `import 'millrace'` gives: the module src-worker/millrace.ts. */
  millrace: object;
}

/**
 * Loads all handler files under the given folders (or single files), sorted by path. Skipped are declarations, tests,
 * configurations, names that begin with `.` or `_`, and folders `node_modules`, `lib`, `programs`, `test`, `tests`, `__tests__`:
 * what handlers share belongs into `lib`, what they run into `programs`.
 * @throws HandlerLoadError with every file that failed, not only the first
 */
export async function loadHandlers(folders: readonly string[], options: LoaderOptions): Promise<LoadedHandler[]> {
  const faults: string[] = [];
  const files: string[] = [];
  for (const folder of folders) {
    try {
      files.push(...(await handlerFiles(resolve(folder))));
    } catch (error) {
      faults.push(`${folder}: ${describeThrown(error).message}`);
    }
  }
  const loaded: LoadedHandler[] = [];
  for (const file of new Set(files)) {
    try {
      loaded.push(...(await loadFile(file, options)));
    } catch (error) {
      const { name, message } = describeThrown(error);
      faults.push(`${file}: ${error instanceof HandlerFault ? message : `${name}: ${message}`}`);
    }
  }
  if (faults.length > 0) throw new HandlerLoadError(faults);
  return loaded;
}

class HandlerFault extends Error {}

async function handlerFiles(start: string): Promise<string[]> {
  const found: string[] = [];
  const visit = async (folder: string, entries: Dirent[]): Promise<void> => {
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith('.') || entry.name.startsWith('_')) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!SKIPPED_FOLDERS.has(entry.name)) await visit(path, await readdir(path, { withFileTypes: true }));
      } else if (EXTENSIONS.has(extname(entry.name)) && !NOT_A_HANDLER.test(entry.name)) {
        found.push(path);
        if (found.length > MOST_FILES)
          throw new HandlerFault(`more than ${MOST_FILES} files: is this a folder of handlers?`);
      }
    }
  };
  try {
    await visit(start, await readdir(start, { withFileTypes: true }));
  } catch (error) {
    if (isCode(error, 'ENOTDIR')) return [start];
    if (isCode(error, 'ENOENT')) throw new HandlerFault('no such folder', { cause: error });
    throw error;
  }
  return found;
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

async function loadFile(file: string, { millrace }: LoaderOptions): Promise<LoadedHandler[]> {
  const { createJiti } = await import('jiti');
  const jiti = createJiti(join(dirname(file), '/'), {
    virtualModules: { millrace },
    fsCache: false,
    moduleCache: false,
    interopDefault: true,
  });
  const exported = defaultOf(await jiti.import(file));
  if (exported === undefined) throw new HandlerFault('has no default export; export one handler, or an array of them');
  const handlers: readonly unknown[] = Array.isArray(exported) ? exported : [exported];
  return handlers.map((handler, index) => {
    if (isHandler(handler)) return { handler, file, folder: dirname(file) };
    const which = Array.isArray(exported) ? `handler ${index + 1} of its default export` : 'its default export';
    throw new HandlerFault(`${which} is not a handler: ${handlerFault(handler)}`);
  });
}

/** Of a CommonJS file the exports are the default, and jiti answers for `default` without having it. */
function defaultOf(module: unknown): unknown {
  if ((typeof module !== 'object' && typeof module !== 'function') || module === null) return module;
  const exported: unknown = Reflect.get(module, 'default');
  return 'default' in module || Array.isArray(exported) || isHandler(exported) ? exported : undefined;
}
