/**
 * Removes what tasks have left in the data folder and nobody can reach any more: artifacts of tasks that are gone (removed
 * in bulk, or past their retention), and old mails of the outbox.
 *
 * One data folder may serve several Redis, one after the other: that a task is not in this one says nothing yet. So a
 * folder of artifacts is marked with the store in which its task was seen, and only that store may call it gone.
 */
import { opendir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TaskId } from '#queue/contract/primitives';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import { Rounds } from '#queue/kernel/rounds';
import type { Service } from '#queue/kernel/service';

const FIRST_PASS_MS = 60_000;
const PASS_EVERY_MS = 10 * 60_000;
/** Looked at together: one read of the store for all of them. */
const CHUNK = 200;
/** In one pass, so that it does not keep the disk busy; the next goes on. */
export const MAX_REMOVALS = 1000;
/** In a task's folder; no artifact's name begins with a dot. */
const MARK = '.store';

export interface FilePrunerDeps {
  artifactsDir: string;
  outboxDir: string;
  keepMs: number;
  /** Names the store for as long as its data live. */
  storeId: () => Promise<string>;
  /** Which of the tasks are in the store, in the order of `ids`. */
  areThere: (ids: readonly string[]) => Promise<readonly boolean[]>;
  clock: Clock;
  log: Log;
}

interface Folder {
  id: string;
  path: string;
  /** Store that has seen its task; null where none has yet. */
  mark: string | null;
  old: boolean;
}

export class FilePruner implements Service {
  readonly name = 'file-pruner';
  readonly #deps: FilePrunerDeps;
  readonly #rounds: Rounds;

  constructor(deps: FilePrunerDeps) {
    this.#deps = deps;
    const { clock, log } = deps;
    this.#rounds = new Rounds({
      clock,
      firstMs: FIRST_PASS_MS,
      everyMs: () => PASS_EVERY_MS,
      pass: (signal) => this.#pass(signal),
      onFault: (error) => log.warn('old files of tasks could not be removed; tried again in 10 minutes', { error }),
    });
  }

  start(): Promise<void> {
    return this.#rounds.start();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  async #pass(signal: AbortSignal): Promise<void> {
    const artifacts = await this.#pruneArtifacts(signal);
    const mails = await this.#pruneOutbox(signal);
    if (artifacts + mails > 0) this.#deps.log.info('old files of tasks removed', { artifacts, mails });
  }

  async #pruneArtifacts(signal: AbortSignal): Promise<number> {
    const { artifactsDir, storeId } = this.#deps;
    let removed = 0;
    let chunk: Folder[] = [];
    let store: string | null = null;
    for await (const { id, path } of foldersOfTasks(artifactsDir)) {
      if (signal.aborted || removed >= MAX_REMOVALS) return removed;
      store ??= await storeId();
      const folder = await this.#look(id, path);
      if (folder !== null && (folder.mark === null || (folder.mark === store && folder.old))) chunk.push(folder);
      if (chunk.length < CHUNK) continue;
      removed += await this.#judge(chunk, store);
      chunk = [];
    }
    return store === null ? 0 : removed + (await this.#judge(chunk, store));
  }

  /** @returns null where it is gone meanwhile */
  async #look(id: string, path: string): Promise<Folder | null> {
    const found = await stat(path).catch(() => null);
    if (found === null) return null;
    const mark = await readFile(join(path, MARK), 'utf8').catch(() => null);
    return { id, path, mark, old: this.#isOld(found.mtimeMs) };
  }

  async #judge(folders: readonly Folder[], store: string): Promise<number> {
    if (folders.length === 0) return 0;
    const there = await this.#deps.areThere(folders.map(({ id }) => id));
    let removed = 0;
    for (const [index, { path, mark }] of folders.entries()) {
      if (there[index] && mark === null)
        await writeFile(join(path, MARK), store, { flag: 'wx' }).catch(() => undefined); // gone meanwhile, or no mark of ours
      if (there[index] || mark === null) continue;
      await rm(path, { recursive: true, force: true });
      removed++;
    }
    return removed;
  }

  async #pruneOutbox(signal: AbortSignal): Promise<number> {
    let removed = 0;
    for await (const { name, path } of entriesOf(this.#deps.outboxDir)) {
      if (signal.aborted || removed >= MAX_REMOVALS) break;
      if (!name.endsWith('.eml')) continue;
      const found = await stat(path).catch(() => null);
      if (found === null || !found.isFile() || !this.#isOld(found.mtimeMs)) continue;
      await rm(path, { force: true });
      removed++;
    }
    return removed;
  }

  #isOld(mtimeMs: number): boolean {
    return this.#deps.clock.now() - mtimeMs >= this.#deps.keepMs;
  }
}

async function* foldersOfTasks(dir: string): AsyncGenerator<{ id: string; path: string }> {
  for await (const { name, path, isFolder } of entriesOf(dir)) {
    if (isFolder && TaskId.safeParse(name).success) yield { id: name, path };
  }
}

/** Nothing where the folder is not there. */
async function* entriesOf(dir: string): AsyncGenerator<{ name: string; path: string; isFolder: boolean }> {
  const open = await opendir(dir).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  });
  if (open === null) return;
  for await (const entry of open)
    yield { name: entry.name, path: join(dir, entry.name), isFolder: entry.isDirectory() };
}
