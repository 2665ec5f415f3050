/** One window: made locked down, put where it was, and titled by what it shows. */
import { BrowserWindow, nativeTheme, screen } from 'electron';
import type { Environment } from '#queue/contract/session';
import { DEFAULT_SIZE, fitPlace, MIN_SIZE, type WindowPlaces } from './window-state';
import { windowTitle } from './window-title';

export interface WindowOptions {
  /** Of its place. */
  key: string;
  address: string;
  /** Null for the start page, which titles itself. */
  shows: { name: string; environment: Environment | null } | null;
  preload: string;
  icon: string;
  /** False in a packaged app. */
  devTools: boolean;
  places: WindowPlaces;
  /** Before it loads anything: from then on its locks must know it. */
  onMade: (window: BrowserWindow) => void;
}

/** As tokens.css: what is seen before the page has painted. */
const BACKGROUND = { light: '#ffffff', dark: '#0e1116' } as const;
/** While a window is dragged it moves a hundred times a second. */
const PLACE_EVERY_MS = 500;

export function openWindow(options: WindowOptions): BrowserWindow {
  const { key, places, shows } = options;
  const workAreas = screen.getAllDisplays().map(({ workArea }) => workArea);
  const kept = places.get(key);
  const place = kept && fitPlace(kept, workAreas);
  const window = new BrowserWindow({
    ...(place?.bounds ?? DEFAULT_SIZE),
    minWidth: MIN_SIZE.width,
    minHeight: MIN_SIZE.height,
    show: false,
    title: 'Millrace',
    icon: options.icon,
    backgroundColor: nativeTheme.shouldUseDarkColors ? BACKGROUND.dark : BACKGROUND.light,
    webPreferences: {
      preload: options.preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false, // would fetch dictionaries
      devTools: options.devTools,
    },
  });
  options.onMade(window);
  if (place?.maximized) window.maximize();
  rememberPlace(window, key, places);
  window.on('page-title-updated', (event, title) => {
    if (shows === null) return;
    event.preventDefault();
    window.setTitle(windowTitle(title, shows));
  });
  window.once('ready-to-show', () => window.show());
  void window.loadURL(options.address);
  return window;
}

/** To be called before a window is destroyed: nothing else tells of that. */
export function keepPlace(window: BrowserWindow, key: string, places: WindowPlaces): void {
  if (window.isDestroyed() || window.isMinimized()) return;
  places.set(key, { bounds: window.getNormalBounds(), maximized: window.isMaximized() });
}

function rememberPlace(window: BrowserWindow, key: string, places: WindowPlaces): void {
  let timer: NodeJS.Timeout | undefined;
  const keep = () => {
    clearTimeout(timer);
    timer = undefined;
    keepPlace(window, key, places);
  };
  const later = () => {
    timer ??= setTimeout(keep, PLACE_EVERY_MS);
  };
  // Named one by one: Electron types each event by itself.
  window.on('resize', later);
  window.on('move', later);
  window.on('maximize', later);
  window.on('unmaximize', later);
  window.on('closed', () => clearTimeout(timer));
}
