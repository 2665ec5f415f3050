/** Joins the page to the desktop window around it: its menu runs the page's commands, its frame follows the theme. */
import type { Bridge } from '#main/bridge/contract';
import { isAsked } from './commands.svelte';
import type { Ui } from './ui';

/** The profile that the address of the start page names: it is connected to once. */
export interface WantedProfile {
  /** @returns ends it */
  follow(open: (id: string) => void): () => void;
}

const WANTED = /^#\/connect\/([A-Za-z0-9_-]{1,64})$/;

export function wantedProfile(window: Pick<Window, 'location' | 'history'> & EventTarget): WantedProfile {
  return {
    follow(open) {
      const look = () => {
        const id = WANTED.exec(window.location.hash)?.[1];
        if (id === undefined) return;
        window.history.replaceState(null, '', window.location.pathname); // reloading the page does not connect again
        open(id);
      };
      window.addEventListener('hashchange', look);
      look();
      return () => window.removeEventListener('hashchange', look);
    },
  };
}

/** For as long as the page lives. */
export function joinDesktop(desktop: Bridge, { commands, preferences }: Pick<Ui, 'commands' | 'preferences'>): void {
  desktop.on('command', (id) => {
    const command = commands.all.find((candidate) => candidate.id === id);
    if (command && !command.refusal && !isAsked()) command.run();
  });
  $effect.root(() => {
    $effect(() => void desktop.setTheme(preferences.theme));
  });
}
