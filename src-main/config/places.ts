/** Where this system keeps the data of a program. */
import { posix, win32 } from 'node:path';

export interface Place {
  platform: NodeJS.Platform;
  home: string;
  env: Readonly<Record<string, string | undefined>>;
}

/** XDG on Linux and the BSDs, `Application Support` on macOS, `%LOCALAPPDATA%` on Windows. */
export function defaultDataDir({ platform, home, env }: Place): string {
  if (platform === 'win32') return win32.join(env.LOCALAPPDATA || win32.join(home, 'AppData', 'Local'), 'Millrace');
  if (platform === 'darwin') return posix.join(home, 'Library', 'Application Support', 'Millrace');
  const xdg = env.XDG_DATA_HOME;
  return posix.join(xdg && posix.isAbsolute(xdg) ? xdg : posix.join(home, '.local', 'share'), 'millrace');
}
