/** The answers to the calls of the bridge that are not about profiles. */
import { nativeTheme, safeStorage, shell } from 'electron';
import type { CallHandlers } from '../bridge/calls';
import type { AppCalls, Platform, WindowFacts } from '../bridge/contract';
import { openExternal } from './external-links';
import { openTextFile, pickPath, saveTextFile } from './file-dialogs';
import type { OpenedWindow } from './opened-window';
import { safeStorageBox } from './profiles/secret-box';

export interface AppCallsDeps {
  version: string;
  logsDir: string;
  switchProfile: () => void;
}

export function appCalls({ version, logsDir, switchProfile }: AppCallsDeps): CallHandlers<AppCalls, OpenedWindow> {
  return {
    platform: () => platformFacts(version),
    windowFacts: ({ target }): WindowFacts =>
      target === null
        ? { kind: 'start', profileId: null, name: 'Millrace', environment: null }
        : { kind: 'console', profileId: target.profileId, name: target.name, environment: target.environment },
    token: ({ server }) => server?.token ?? null,
    setTheme: (_opened, theme) => {
      nativeTheme.themeSource = theme;
    },
    openExternal: ({ window, server }, address) => openExternal(window, address, server?.url ?? null),
    saveFile: ({ window }, file) => saveTextFile(window, file),
    openFile: ({ window }, options) => openTextFile(window, options),
    pickPath: ({ window }, options) => pickPath(window, options),
    showLogs: async () => {
      await shell.openPath(logsDir);
    },
    switchProfile: () => switchProfile(),
  };
}

const KNOWN_SYSTEMS = ['linux', 'darwin', 'win32'] as const;

const platformFacts = (version: string): Platform => ({
  os: KNOWN_SYSTEMS.find((name) => name === process.platform) ?? 'other',
  version,
  electron: process.versions.electron ?? '',
  secretsEncrypted: safeStorageBox(safeStorage, process.platform).unavailable === null,
});
