/** Files that the user picks, in and out. The page never names a path: it proposes a name, and gets a text. */
import { open, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type BrowserWindow, dialog, type FileFilter, type OpenDialogOptions } from 'electron';
import { FILE_CHARS_MAX } from '../bridge/contract';
import { BridgeRefusal } from './bridge-calls';

/** Not at the start, and none of what Windows or a shell reads otherwise. */
export const safeFileName = (name: string): string => {
  const safe = basename(name.replaceAll('\\', '/'))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
    .replace(/[\u0000-\u001f<>:"/|?*]/g, '_')
    .replace(/^\.+/, '')
    .slice(0, 120);
  return safe === '' ? 'millrace.txt' : safe;
};

/** @returns where it was written; null when the dialog was closed */
export async function saveTextFile(
  window: BrowserWindow,
  file: { name: string; text: string },
): Promise<string | null> {
  const { canceled, filePath } = await dialog.showSaveDialog(window, { defaultPath: safeFileName(file.name) });
  if (canceled || !filePath) return null;
  try {
    await writeFile(filePath, file.text, { mode: 0o600 });
  } catch (error) {
    throw refusal(`${filePath} could not be written`, error);
  }
  return filePath;
}

export async function openTextFile(
  window: BrowserWindow,
  { filters }: { filters: FileFilter[] },
): Promise<{ name: string; text: string } | null> {
  const path = await pickPath(window, { kind: 'file', filters });
  if (path === null) return null;
  return { name: basename(path), text: await readBounded(path) };
}

export async function pickPath(
  window: BrowserWindow,
  { kind, filters }: { kind: 'file' | 'folder'; filters: FileFilter[] },
): Promise<string | null> {
  const options: OpenDialogOptions = { properties: [kind === 'file' ? 'openFile' : 'openDirectory'], filters };
  const { canceled, filePaths } = await dialog.showOpenDialog(window, options);
  return canceled ? null : (filePaths[0] ?? null);
}

/** UTF-8 and not above the bound, or refused. */
export async function readBounded(path: string, maxBytes = FILE_CHARS_MAX): Promise<string> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw refusal(`${path} could not be opened`, error);
  });
  try {
    const { size } = await file.stat();
    if (size > maxBytes) {
      throw new BridgeRefusal(
        `${basename(path)} has ${Math.ceil(size / 1024 / 1024)} MiB, and ${Math.floor(maxBytes / 1024 / 1024)} MiB is the most: submit it with the millrace program instead`,
      );
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(await file.readFile());
  } catch (error) {
    throw error instanceof BridgeRefusal ? error : refusal(`${basename(path)} is no text in UTF-8`, error);
  } finally {
    await file.close();
  }
}

const refusal = (what: string, error: unknown): BridgeRefusal =>
  new BridgeRefusal(`${what}: ${error instanceof Error ? error.message : String(error)}`);
