/**
 * The folders that the built-in task types may touch: the artifacts folder and those of `--files`.
 *
 * A path is checked twice: as it is written, so that nothing about the world outside can be learned from the
 * error, and as the file system resolves it, so that no link leads out. What is handed back is the resolved
 * path. It guards against payloads, not against other programs that change links inside the folders between
 * the check and the use.
 */
import { lstat, mkdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { FatalError, type FileAccess } from './handler';

/**
 * @param roots the allowed folders, the artifacts folder first: relative paths start there. They need not exist yet.
 */
export function createFileAccess(roots: readonly string[]): FileAccess {
  const folders = roots.map((root) => resolve(root));

  const refuse = (path: string): FatalError =>
    new FatalError(
      `the path ${JSON.stringify(path)} is outside the folders that tasks may use (${folders.join(', ') || 'none'}); ` +
        'allow more with --files or MILLRACE_FILES',
    );

  /** The absolute form of a path that is, as written, inside an allowed folder, and that folder. */
  const locate = (path: string): { absolute: string; folder: string } => {
    const first = folders[0];
    if (path === '' || path.includes('\0') || first === undefined) throw refuse(path);
    const absolute = resolve(first, path);
    const folder = folders.find((candidate) => isWithin(candidate, absolute));
    if (folder === undefined) throw refuse(path);
    return { absolute, folder };
  };

  /** Any allowed folder will do: a link from one into another leads to nothing that was not allowed. */
  const requireInside = async (path: string, real: string): Promise<void> => {
    for (const folder of folders) {
      const realFolder = await realpath(folder).catch(nullWhereMissing);
      if (realFolder !== null && isWithin(realFolder, real)) return;
    }
    throw refuse(path);
  };

  return {
    async forReading(path) {
      const { absolute } = locate(path);
      const real = await realpath(absolute).catch(nullWhereMissing);
      if (real === null) throw new FatalError(`there is no file ${JSON.stringify(path)} (looked for ${absolute})`);
      await requireInside(path, real);
      if (!(await stat(real)).isFile()) throw new FatalError(`${JSON.stringify(path)} is not a file`);
      return real;
    },

    async forWriting(path) {
      const { absolute, folder } = locate(path);
      if (absolute === folder) throw new FatalError(`${JSON.stringify(path)} is a folder`);
      await mkdir(folder, { recursive: true });
      const parent = dirname(absolute);
      await requireInside(path, await realpath(await nearestExisting(parent)));
      await mkdir(parent, { recursive: true });
      const target = join(await realpath(parent), basename(absolute));
      await requireInside(path, target);
      return await resolveTarget(path, target);
    },
  };

  /** A target that is there already may be a link itself. One that leads nowhere is refused: writing would follow it. */
  async function resolveTarget(path: string, target: string): Promise<string> {
    const entry = await lstat(target).catch(nullWhereMissing);
    if (entry === null) return target;
    const real = await realpath(target).catch(nullWhereMissing);
    if (real === null) throw refuse(path);
    await requireInside(path, real);
    if ((await stat(real)).isDirectory()) throw new FatalError(`${JSON.stringify(path)} is a folder`);
    return real;
  }
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way));
}

/** The path itself, or the closest folder above it that is there; links that lead nowhere count as there. */
async function nearestExisting(path: string): Promise<string> {
  for (let current = path; ; current = dirname(current)) {
    if ((await lstat(current).catch(nullWhereMissing)) !== null || dirname(current) === current) return current;
  }
}

function nullWhereMissing(error: unknown): null {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return null;
  throw error;
}
