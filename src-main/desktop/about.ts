/** Help > About: what runs, for a report. */
import { type BrowserWindow, dialog, type MessageBoxOptions } from 'electron';

export async function showAbout(
  window: BrowserWindow | null,
  facts: { version: string; dataDir: string },
): Promise<void> {
  const { electron, chrome, node } = process.versions;
  const options: MessageBoxOptions = {
    type: 'info',
    title: 'About Millrace',
    message: `Millrace ${facts.version}`,
    detail: `Electron ${electron}, Chromium ${chrome}, Node ${node}\nData: ${facts.dataDir}\nMIT License`,
    buttons: ['Close'],
    noLink: true,
  };
  await (window === null ? dialog.showMessageBox(options) : dialog.showMessageBox(window, options));
}
