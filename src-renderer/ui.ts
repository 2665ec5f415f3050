/** What every view is handed: the session with its stores, and the parts of the page that views share. */
import type { ProfileName } from '#main/bridge/profiles-contract';
import type { Commands } from './commands.svelte';
import type { Preferences } from './preferences.svelte';
import type { Router } from './router.svelte';
import type { Session } from './session.svelte';
import type { ToastStore } from './stores/toast-store.svelte';

/** What the desktop tells a console of other connections: their names. */
export interface ProfileSwitch {
  list(): Promise<readonly ProfileName[]>;
  /** In a window of its own. */
  open(id: string): void;
}

export interface Ui {
  readonly session: Session;
  readonly router: Router;
  readonly commands: Commands;
  readonly preferences: Preferences;
  readonly toasts: ToastStore;
  /** ⌘ instead of Ctrl. */
  readonly isMac: boolean;
  /** Leads to the connections; null in a browser, which shows the one server that it was opened on. */
  readonly openConnections: (() => void) | null;
  /** The connections by name; null in a browser. */
  readonly profiles: ProfileSwitch | null;
}
