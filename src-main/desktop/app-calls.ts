/** The answers to the calls of the bridge that are not about profiles. */
import { dialog, nativeTheme } from 'electron';
import type { CallHandlers } from '../bridge/calls';
import type { AppCalls } from '../bridge/contract';
import type { ProfileName } from '../bridge/profiles-contract';
import type { OpenedWindow } from './opened-window';

export interface AppCallsDeps {
  version: string;
  profileNames: (opened: OpenedWindow) => Promise<ProfileName[]>;
  switchProfile: (opened: OpenedWindow, id: string | null) => Promise<void>;
}

export function appCalls({ version, profileNames, switchProfile }: AppCallsDeps): CallHandlers<AppCalls, OpenedWindow> {
  return {
    version: () => version,
    windowKind: ({ target }) => (target === null ? 'start' : 'console'),
    token: ({ server }) => server?.token ?? null,
    setTheme: (_opened, theme) => {
      nativeTheme.themeSource = theme;
    },
    pickFile: async ({ window }) => {
      const { canceled, filePaths } = await dialog.showOpenDialog(window, { properties: ['openFile'] });
      return canceled ? null : (filePaths[0] ?? null);
    },
    profileNames,
    switchProfile,
  };
}
