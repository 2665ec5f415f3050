/** Joins the page to the desktop window around it: its menu runs the page's commands, its frame follows the theme. */
import type { Bridge } from '#main/bridge/contract';
import { isAsked } from './commands.svelte';
import type { Ui } from './ui';

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
