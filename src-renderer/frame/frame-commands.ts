/** What can be done everywhere: go to a view, change how things look, open the palette. */
import type { Command } from '../commands.svelte';
import { copyText } from '../copy-text';
import { formatNumber, TIME_DISPLAYS } from '../format';
import { DENSITIES, THEMES } from '../preferences.svelte';
import { href } from '../router.svelte';
import { etaWords } from '../stores/queue-trouble';
import type { Ui } from '../ui';
import { PLACES } from './places';

const LOOKS = {
  light: { title: 'Use the light theme', icon: 'sun' },
  dark: { title: 'Use the dark theme', icon: 'moon' },
  system: { title: 'Use the theme of the system', icon: 'screen' },
} as const;

const TIMES = {
  relative: 'Show times as ages',
  local: 'Show times of this computer',
  utc: 'Show times of UTC',
} as const;

export function frameCommands(
  { router, preferences, session, toasts, openConnections }: Ui,
  show: (what: 'palette' | 'shortcuts') => void,
): Command[] {
  const places = PLACES.map(
    ({ view, title, keys, icon }): Command => ({
      id: `go-${view}`,
      title,
      group: 'Go to',
      icon,
      keys,
      consequence: `Opens ${title}.`,
      run: () => router.go(href(view)),
    }),
  );
  const queues = session.system.queues.map((queue): Command => {
    const { name, depth } = queue;
    const eta = etaWords(queue).text;
    return {
      id: `go-queue-${name}`,
      title: `Queue ${name}`,
      group: 'Go to',
      icon: 'layers',
      note:
        depth.pending === 0
          ? 'nothing waits'
          : `${formatNumber(depth.pending)} pending, ${queue.paused ? eta : `ETA ${eta}`}`,
      consequence: `Opens ${name}: ${formatNumber(depth.pending)} pending, ${formatNumber(depth.failed)} failed.`,
      run: () => router.go(href('queues', [name])),
    };
  });
  const connections: Command[] =
    openConnections === null
      ? []
      : [
          {
            id: 'connections',
            title: 'Switch connection',
            group: 'Go to',
            keys: 'mod+shift+p',
            icon: 'plug',
            consequence: 'Opens the connections.',
            run: openConnections,
          },
        ];
  const done = toasts.toasts.findLast(({ actions }) => actions.some(isUndo));
  const undo: Command[] =
    done === undefined
      ? []
      : [
          {
            id: 'undo',
            title: `Undo: ${done.text}`,
            group: 'Actions',
            keys: 'mod+z',
            icon: 'retry',
            run: () => {
              toasts.close(done.id);
              done.actions.find(isUndo)?.run();
            },
          },
        ];
  return [
    ...undo,
    ...places,
    ...connections,
    ...queues,
    {
      id: 'palette',
      title: 'Search or run a command',
      group: 'View',
      keys: 'mod+k',
      hidden: true,
      run: () => show('palette'),
    },
    {
      id: 'shortcuts',
      title: 'Show keyboard shortcuts',
      group: 'View',
      keys: '?',
      icon: 'keyboard',
      run: () => show('shortcuts'),
    },
    { id: 'back', title: 'Go back', group: 'View', keys: '[', icon: 'left', run: () => router.back() },
    { id: 'forward', title: 'Go forward', group: 'View', keys: ']', icon: 'right', run: () => router.forward() },
    {
      id: 'inspector',
      title: preferences.inspectorOpen ? 'Hide the inspector' : 'Show the inspector',
      group: 'View',
      keys: 'mod+i',
      icon: 'inspector',
      run: () => preferences.toggleInspector(),
    },
    {
      id: 'sidebar',
      title: preferences.sidebarCollapsed ? 'Widen the sidebar' : 'Narrow the sidebar to icons',
      group: 'View',
      keys: 'mod+b',
      icon: 'sidebar',
      run: () => preferences.toggleSidebar(),
    },
    {
      id: 'time',
      title: 'Show times another way',
      group: 'View',
      keys: 't',
      icon: 'clock',
      consequence: 'Relative, local, UTC in turn.',
      run: () => preferences.nextTimeDisplay(),
    },
    ...TIME_DISPLAYS.map(
      (display): Command => ({
        id: `time-${display}`,
        title: TIMES[display],
        group: 'View',
        icon: 'clock',
        refusal: preferences.timeDisplay === display ? 'They are shown so' : null,
        run: () => preferences.setTimeDisplay(display),
      }),
    ),
    ...DENSITIES.map(
      (density): Command => ({
        id: `density-${density}`,
        title: `Use ${density} rows`,
        group: 'View',
        icon: 'list',
        refusal: preferences.density === density ? 'They are so' : null,
        run: () => preferences.setDensity(density),
      }),
    ),
    {
      id: 'copy-link',
      title: 'Copy the link of this screen',
      group: 'View',
      keys: 'y l',
      icon: 'link',
      consequence: 'With its query, its range and what is open.',
      run: () => void copyText(location.href, 'A link to this screen is copied', toasts),
    },
    ...THEMES.map(
      (theme): Command => ({
        id: `theme-${theme}`,
        title: LOOKS[theme].title,
        group: 'View',
        icon: LOOKS[theme].icon,
        run: () => preferences.setTheme(theme),
      }),
    ),
    { id: 'retry-connection', title: 'Connect again now', group: 'View', icon: 'plug', run: () => session.retryNow() },
  ];
}

const isUndo = ({ label }: { readonly label: string }): boolean => label === 'Undo';
