/**
 * The menus of the system. Keys that the page has itself stand in the menu without being taken from the page, except on
 * macOS, where a menu always takes them; then the page is told, and does the same.
 */
import type { MenuItemConstructorOptions } from 'electron';
import type { MenuCommand } from '../bridge/contract';

export interface MenuActions {
  /** A screen of the window in front, `#/tasks`. */
  go: (hash: string) => void;
  command: (name: MenuCommand) => void;
  connections: () => void;
  showLogs: () => void;
  about: () => void;
  apiReference: () => void;
  quit: () => void;
}

const SCREENS = [
  ['Overview', '#/'],
  ['Failures', '#/failures'],
  ['Tasks', '#/tasks'],
  ['Queues', '#/queues'],
  ['Workers', '#/workers'],
  ['Operations', '#/operations'],
  ['Metrics', '#/metrics'],
  ['Audit', '#/audit'],
] as const;

export function menuTemplate(
  actions: MenuActions,
  { mac, devTools }: { mac: boolean; devTools: boolean },
): MenuItemConstructorOptions[] {
  const pageKey = (label: string, accelerator: string, name: MenuCommand): MenuItemConstructorOptions => ({
    label,
    accelerator,
    registerAccelerator: false,
    click: () => actions.command(name),
  });
  const settings: MenuItemConstructorOptions = {
    label: 'Settings',
    accelerator: 'CmdOrCtrl+,',
    click: () => actions.go('#/settings'),
  };
  const about: MenuItemConstructorOptions = { label: 'About Millrace', click: actions.about };
  const quit: MenuItemConstructorOptions = { label: 'Quit', accelerator: 'CmdOrCtrl+Q', click: actions.quit };
  const line: MenuItemConstructorOptions = { type: 'separator' };
  return [
    ...(mac
      ? [{ label: 'Millrace', submenu: [about, line, settings, line, { role: 'hide' as const }, line, quit] }]
      : []),
    {
      label: '&File',
      submenu: [
        { label: 'New window', accelerator: 'CmdOrCtrl+N', click: actions.connections },
        { label: 'Switch connection', accelerator: 'CmdOrCtrl+Shift+P', click: actions.connections },
        line,
        { label: 'Submit task', click: () => actions.go('#/submit') },
        line,
        ...(mac ? [] : [settings, line]),
        { role: 'close', label: 'Close window' },
        ...(mac ? [] : [quit]),
      ],
    },
    {
      label: '&Edit',
      submenu: [
        { role: 'undo' },
        { role: 'redo' },
        line,
        { role: 'cut' },
        { role: 'copy' },
        { role: 'paste' },
        { role: 'selectAll' },
      ],
    },
    {
      label: '&View',
      submenu: [
        pageKey('Command palette', 'CmdOrCtrl+K', 'palette'),
        pageKey('Inspector', 'CmdOrCtrl+I', 'inspector'),
        pageKey('Time display', 'T', 'time'),
        line,
        { role: 'resetZoom', label: 'Actual size' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        line,
        { role: 'reload', label: 'Load the page anew' },
        { role: 'togglefullscreen', label: 'Full screen' },
        ...(devTools ? [{ role: 'toggleDevTools' as const, label: 'Developer tools' }] : []),
      ],
    },
    {
      label: '&Go',
      submenu: [
        pageKey('Back', '[', 'back'),
        pageKey('Forward', ']', 'forward'),
        line,
        ...SCREENS.map(([label, hash]) => ({ label, click: () => actions.go(hash) })),
      ],
    },
    {
      label: '&Help',
      role: 'help',
      submenu: [
        pageKey('Keyboard shortcuts', '?', 'shortcuts'),
        { label: 'API reference', click: actions.apiReference },
        { label: 'Show logs', click: actions.showLogs },
        ...(mac ? [] : [line, about]),
      ],
    },
  ];
}
