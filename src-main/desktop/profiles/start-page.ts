/** Binds the calls of the start page to this desktop: where its profiles lie, and what opening one does. */
import { join } from 'node:path';
import { app, safeStorage } from 'electron';
import type { Clock } from '#queue/kernel/clock';
import type { CallHandlers } from '../../bridge/calls';
import type { ProfileCalls } from '../../bridge/profiles-contract';
import type { Desktop } from '../desktop';
import type { OpenedWindow } from '../opened-window';
import { type Target, targetOf } from '../target';
import { type ProfileDeps, profileHandlers, wantedOf } from './handlers';
import { ProfileStore } from './profile-store';
import { safeStorageBox } from './secret-box';

export interface StartPageDeps {
  clock: Clock;
  dataDir: string;
  openLocal: ProfileDeps<OpenedWindow>['openLocal'];
}

/** Once the app is ready: before, the keychain is not. */
export class StartPage {
  readonly #deps: StartPageDeps;
  readonly #secrets = safeStorageBox(safeStorage, process.platform);
  readonly #store: ProfileStore;

  constructor(deps: StartPageDeps) {
    this.#deps = deps;
    const path = join(app.getPath('userData'), 'profiles.json');
    this.#store = new ProfileStore({ path, secrets: this.#secrets, clock: deps.clock });
  }

  calls(desktop: Pick<Desktop, 'open' | 'close'>): CallHandlers<ProfileCalls, OpenedWindow> {
    const { clock, dataDir, openLocal } = this.#deps;
    return profileHandlers<OpenedWindow>({
      store: this.#store,
      secrets: this.#secrets,
      clock,
      dataDir,
      demo: false,
      openLocal,
      connect: async (caller, wanted) => {
        await desktop.open(targetOf(wanted));
        setImmediate(() => desktop.close(caller)); // it is told first
      },
      emit: ({ window }, event) => {
        if (!window.isDestroyed()) window.webContents.send('profiles:diagnosed', event);
      },
    });
  }

  /** The local queue, where that was used last: it asks for nothing. Null: the start page is where to begin. */
  async lastLocal(): Promise<Target | null> {
    const [last] = await this.#store.list();
    if (last?.kind !== 'local' || last.lastUsedAt === null) return null;
    return targetOf(wantedOf(last, null));
  }
}
