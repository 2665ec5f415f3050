/** The icon in the system's tray: how many dead letters there are, and the way to them. A desktop without a tray has none. */
import { join } from 'node:path';
import { app, Menu, nativeImage, Tray } from 'electron';
import type { Log } from '#queue/kernel/log';

/** A window, as the tray tells of it. */
export interface TrayEntry {
  name: string;
  /** Null until its queue has told. */
  failed: number | null;
  show: (hash?: string) => void;
}

export interface TrayDeps {
  iconsDir: string;
  quit: () => void;
  log: Log;
}

export class QueueTray {
  readonly #deps: TrayDeps;
  #tray: Tray | null = null;
  #told = '';

  constructor(deps: TrayDeps) {
    this.#deps = deps;
  }

  start(): void {
    const file = process.platform === 'darwin' ? 'trayTemplate.png' : 'tray.png';
    try {
      this.#tray = new Tray(nativeImage.createFromPath(join(this.#deps.iconsDir, file)));
    } catch (error) {
      this.#deps.log.info('this desktop has no tray', { error });
    }
  }

  /** Cheap where nothing has changed. */
  show(entries: readonly TrayEntry[]): void {
    const told = JSON.stringify(entries.map(({ name, failed }) => [name, failed]));
    if (told === this.#told) return;
    this.#told = told;
    const failed = entries.reduce((sum, entry) => sum + (entry.failed ?? 0), 0);
    app.setBadgeCount(failed);
    const tray = this.#tray;
    if (tray === null || tray.isDestroyed()) return;
    tray.setToolTip(trayText(entries));
    if (process.platform === 'darwin') tray.setTitle(failed === 0 ? '' : String(failed));
    tray.setContextMenu(
      Menu.buildFromTemplate([
        ...entries.flatMap((entry) => [
          { label: entry.name, click: () => entry.show() },
          { label: `    ${failedText(entry.failed)}`, click: () => entry.show('#/failures') },
        ]),
        { type: 'separator' },
        { label: 'Quit', click: this.#deps.quit },
      ]),
    );
  }

  stop(): void {
    this.#tray?.destroy();
    this.#tray = null;
  }
}

const failedText = (failed: number | null): string =>
  failed === null
    ? 'connecting'
    : failed === 0
      ? 'no dead letters'
      : failed === 1
        ? '1 dead letter'
        : `${failed} dead letters`;

export const trayText = (entries: readonly Pick<TrayEntry, 'name' | 'failed'>[]): string =>
  ['Millrace', ...entries.map(({ name, failed }) => `${name}: ${failedText(failed)}`)].join('\n');
