import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileAccess } from '#worker/file-access';
import { FatalError } from '#worker/handler';
import { createTempFolder } from '../support/handler-context';

let world: Awaited<ReturnType<typeof createTempFolder>>;
let artifacts: string;
let shared: string;
let secret: string;

beforeEach(async () => {
  world = await createTempFolder();
  artifacts = join(world.path, 'artifacts');
  shared = join(world.path, 'shared');
  secret = join(world.path, 'secret.txt');
  await mkdir(join(artifacts, 'in'), { recursive: true });
  await mkdir(shared);
  await writeFile(secret, 'secret');
  await writeFile(join(artifacts, 'in', 'a.csv'), 'a');
  await writeFile(join(shared, 'b.csv'), 'b');
});
afterEach(() => world[Symbol.asyncDispose]());

const access = () => createFileAccess([artifacts, shared]);

describe('reading', () => {
  it('finds relative paths in the artifacts folder and absolute ones in any allowed folder', async () => {
    expect(await access().forReading('in/a.csv')).toBe(join(artifacts, 'in', 'a.csv'));
    expect(await access().forReading(join(shared, 'b.csv'))).toBe(join(shared, 'b.csv'));
  });

  it.each(['../secret.txt', 'in/../../secret.txt', '/etc/passwd', '', 'in/a.csv\0.png', '../artifacts-of-another/x'])(
    'refuses %j with an error that names the folders and the option',
    async (path) => {
      const refusal = access().forReading(path);
      await expect(refusal).rejects.toBeInstanceOf(FatalError);
      await expect(refusal).rejects.toThrow(/outside the folders/);
      await expect(refusal).rejects.toThrow(artifacts);
      await expect(refusal).rejects.toThrow(/--files or MILLRACE_FILES/);
    },
  );

  it('refuses an absolute path outside, whether or not there is a file', async () => {
    for (const path of [secret, join(world.path, 'nothing.txt')]) {
      await expect(access().forReading(path)).rejects.toThrow(/outside the folders/);
    }
  });

  it('refuses links that lead out, to a file and through a folder', async () => {
    await symlink(secret, join(artifacts, 'link.txt'));
    await symlink(world.path, join(artifacts, 'up'));
    await expect(access().forReading('link.txt')).rejects.toThrow(/outside the folders/);
    await expect(access().forReading('up/secret.txt')).rejects.toThrow(/outside the folders/);
  });

  it('follows a link from one allowed folder into another', async () => {
    await symlink(join(shared, 'b.csv'), join(artifacts, 'link.csv'));
    expect(await access().forReading('link.csv')).toBe(join(shared, 'b.csv'));
  });

  it('works where the allowed folder is itself a link', async () => {
    const alias = join(world.path, 'alias');
    await symlink(shared, alias);
    expect(await createFileAccess([alias]).forReading('b.csv')).toBe(join(shared, 'b.csv'));
  });

  it('says plainly that a file is missing, or is a folder', async () => {
    await expect(access().forReading('in/none.csv')).rejects.toThrow(/there is no file "in\/none\.csv"/);
    await expect(access().forReading('in')).rejects.toThrow(/is not a file/);
  });

  it('allows nothing when no folder is allowed', async () => {
    await expect(createFileAccess([]).forReading(secret)).rejects.toThrow(/\(none\)/);
  });
});

describe('writing', () => {
  it('makes the folder, also of an artifacts folder that is not there yet', async () => {
    const fresh = join(world.path, 'fresh', 'artifacts');
    const path = await createFileAccess([fresh]).forWriting('out/deep/c.txt');
    await writeFile(path, 'c');
    expect(await readFile(join(fresh, 'out', 'deep', 'c.txt'), 'utf8')).toBe('c');
  });

  it('refuses to leave through .., a linked folder, or a linked file', async () => {
    await symlink(world.path, join(artifacts, 'up'));
    await symlink(secret, join(artifacts, 'link.txt'));
    await symlink(join(world.path, 'not-there'), join(artifacts, 'dangling.txt'));
    for (const path of ['../x.txt', 'up/x.txt', 'up/new/x.txt', 'link.txt', 'dangling.txt']) {
      await expect(access().forWriting(path), path).rejects.toThrow(/outside the folders/);
    }
    expect(await readFile(secret, 'utf8')).toBe('secret');
  });

  it('refuses to write over a folder', async () => {
    await expect(access().forWriting('in')).rejects.toThrow(/is a folder/);
    await expect(access().forWriting('.')).rejects.toThrow(/is a folder/);
  });
});
